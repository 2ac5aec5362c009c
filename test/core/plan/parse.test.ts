import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { checkFile, parsePlan, renderComplaint } from '../../../src/core/plan/parse.ts';
import { complaintsOf, type Edit, edited, planOf, smallPlan } from './small-plan.ts';

const example = readFileSync(
  fileURLToPath(new URL('../../fixtures/validation-system.yaml', import.meta.url)),
  'utf8',
);

describe('the example plan', () => {
  test('parses without a complaint', () => {
    const result = parsePlan(example, 'validation-system.yaml');
    expect('plan' in result ? [] : result.complaints.map(renderComplaint)).toEqual([]);
  });

  test('becomes what it says', () => {
    const plan = planOf(example);
    expect(plan.environments.map(({ name }) => name)).toEqual(['staging', 'production']);
    expect(plan.environments[0]?.soak).toEqual({
      forMs: 604_800_000,
      everyMs: 60_000,
      gapMs: 300_000,
      cleanDays: 7,
      extendMs: 604_800_000,
    });
    expect(plan.environments[1]?.services[1]).toEqual({
      name: 'proxy',
      tool: 'systemd',
      options: { unit: 'nginx', action: 'reload', manager: 'system' },
    });
    expect(plan.migrations).toMatchObject({ tool: 'django', options: { manage: 'manage.py' } });
    expect(plan.fallbacks).toEqual({
      downgrade: { downgrade: { to: 'recorded' } },
      'drop-constraints': { forward: 'characters.remove_validation_constraints' },
      'relax-age': { forward: 'characters.relax_age_constraint' },
      restore: { restore: { loses: 'writes-since-backup' }, approved: { roles: ['dba'] } },
    });
    expect(plan.monitors['database']?.metrics['rollbacks']).toMatchObject({
      of: 'commits',
      objective: { word: 'below', value: 0.01 },
      samples: 100,
    });
    expect(plan.matrix[5]).toEqual({
      when: { monitor: 'any', is: 'inconclusive', forMs: 1_800_000 },
      ask: ['continue', 'downgrade'],
      severity: 'high',
    });
    expect(plan.steps.find(({ step }) => step === 'tests')).toMatchObject({
      check: { junit: { file: 'report.xml', passed: 89, skipped: 0 }, changes: [] },
    });
  });

  test('what maintenance leaves out is 503 and /', () => {
    const maintenance = (text: string) =>
      planOf(text).environments.find(({ name }) => name === 'production')?.maintenance;
    expect(maintenance(smallPlan)).toEqual({ flagFile: '/var/www/closed', answers: 503, health: '/' });
    expect(maintenance(example)).toMatchObject({ inside: 'http://127.0.0.1:8101', health: '/health' });
  });

  test('is plain JSON', () => {
    const plan = planOf(example);
    expect(JSON.parse(JSON.stringify(plan))).toStrictEqual(plan);
  });
});

describe('what is left out is filled in', () => {
  const plan = planOf(smallPlan);
  test.each([
    ['ledger', plan.migrations?.options, { folder: 'migrations', ledger: 'schema_migrations' }],
    [
      'action of a unit',
      plan.environments[0]?.services[0]?.options,
      { unit: 'shop', action: 'restart', manager: 'system' },
    ],
    ['answer in maintenance', plan.environments[1]?.maintenance?.answers, 503],
    ['install', plan.release.install, []],
    ['commands', plan.commands, { path: [], env: {} }],
    [
      'samples of the baseline',
      plan.steps[0],
      { step: 'baseline', baseline: { http: { get: ['/', '/health'], samples: 200 } } },
    ],
    [
      'backup',
      plan.steps[2],
      { step: 'backup', backup: { tool: 'pg_dump', format: 'custom', keepMs: 2_592_000_000 } },
    ],
    ['severity', plan.matrix[0], { when: { before: 'migrate' }, do: 'stop', severity: 'medium' }],
    ['code back', plan.fallbacks['old-code'], { codeRollback: true }],
    ['claims', plan.claims, undefined],
  ])('%s', (_, actual, expected) => expect(actual).toEqual(expected));

  test('an HTTP check gets its list, status and time', () => {
    const text = edited(smallPlan, [
      '{ get: /health, within: 60s, mean: at most 110% of baseline }',
      '{ get: /health }',
    ]);
    expect(planOf(text).steps.find(({ step }) => step === 'health')).toEqual({
      step: 'health',
      check: { http: { get: ['/health'], status: 200, withinMs: 30_000 } },
    });
  });

  test.each([
    ['{ command: [node, x.mjs] }', { command: ['node', 'x.mjs'], changes: [] }],
    ['{ sql: select 1, returns: no rows }', { sql: 'select 1', returns: 'no rows' }],
    [
      '{ sql: select 1, returns: { value: at least 1 } }',
      { sql: 'select 1', returns: { value: { word: 'at least', value: 1, text: 'at least 1' } } },
    ],
    [
      '{ columns: [{ table: orders, column: total, nullable: false }] }',
      { columns: [{ table: 'orders', column: 'total', nullable: false }] },
    ],
    [
      '{ constraints: [a_b, { like: "a_*", exactly: 3 }] }',
      { constraints: ['a_b', { like: 'a_*', exactly: 3 }] },
    ],
  ])('check %s', (words, check) => {
    const text = edited(smallPlan, [
      '  - { step: open,',
      `  - { step: more, check: ${words} }\n  - { step: open,`,
    ]);
    expect(planOf(text).steps.find(({ step }) => step === 'more')).toEqual({ step: 'more', check });
  });
});

describe('places', () => {
  const at = (...edits: readonly Edit[]) =>
    complaintsOf(edited(smallPlan, ...edits)).map(({ line, column, path }) => [line, column, path]);

  test('a key, a value, and what is missing each have their own', () => {
    expect(at(['keep: 30d', 'kepp: 30d'])).toEqual([[24, 31, 'steps[2].backup.kepp']]);
    expect(at(['keep: 30d', 'keep: 30 d'])).toEqual([[24, 37, 'steps[2].backup.keep']]);
    expect(at(['    approved: { roles: [lead], within: 7d }', '    approved: { roles: [lead] }'])).toEqual([
      [57, 5, 'gate.production.approved.within'],
    ]);
  });

  test('are the same with Windows line ends, and after a byte order mark', () => {
    const text = edited(smallPlan, ['keep: 30d', 'keep: 30 d']).replaceAll('\n', '\r\n');
    expect(complaintsOf(text).map(({ line, column }) => [line, column])).toEqual([[24, 37]]);
    expect(complaintsOf(`\uFEFF${text}`).map(({ line, column }) => [line, column])).toEqual([[24, 37]]);
    expect(planOf(`\uFEFF${smallPlan}`)).toEqual(planOf(smallPlan));
  });

  test('complaints come in the order of the file', () => {
    const lines = complaintsOf(
      edited(
        smallPlan,
        ['in: [production]', 'in: [x]'],
        ['keep: 30d', 'keep: x'],
        ['do: stop', 'do: x'],
        ['service: shop', 'service: X'],
      ),
    ).map(({ line }) => line);
    expect(lines).toEqual([2, 23, 24, 64]);
  });

  test('a complaint is one line', () => {
    expect(
      renderComplaint({
        file: 'a.yaml',
        line: 3,
        column: 9,
        path: 'steps[0]',
        message: 'is wrong',
        hint: 'nearest: x',
      }),
    ).toBe('a.yaml:3:9 steps[0]: is wrong (nearest: x)');
    expect(renderComplaint({ file: 'a.yaml', line: 1, column: 1, path: '', message: 'is empty' })).toBe(
      'a.yaml:1:1: is empty',
    );
  });
});

describe('what would cost too much is refused, not worked through', () => {
  const bomb = `a: &a [x, x, x, x, x, x, x, x]\n${['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']
    .map(
      (name, at) =>
        `${name}: &${name} [${Array(8)
          .fill(`*${String.fromCharCode(97 + at)}`)
          .join(', ')}]`,
    )
    .join('\n')}\n`;

  test.each([
    ['a file over 1 MiB', `# ${'x'.repeat(1_048_576)}`, /larger than 1 MiB/u],
    ['one that is over it only in UTF-8', `# ${'ä'.repeat(600_000)}`, /larger than 1 MiB/u],
    ['a million brackets', '['.repeat(1_000_000), /nested deeper/u],
    [
      'a deep block',
      Array.from({ length: 700 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
      /nested/u,
    ],
    ['many dashes', '- '.repeat(10_000), /nested/u],
    ['an alias bomb', bomb, /the alias \*a is refused/u],
  ])('%s', (_, text, message) => {
    expect(
      complaintsOf(text)
        .map((complaint) => complaint.message)
        .join('\n'),
    ).toMatch(message);
  });

  test('a thousand mistakes are told as a hundred, and the rest counted', () => {
    const text = `${smallPlan}${Array.from({ length: 490 }, (_, at) => `  - { when: { step: nothing-${at} }, do: nowhere-${at} }\n`).join('')}`;
    const complaints = complaintsOf(text);
    expect(complaints).toHaveLength(101);
    expect(complaints.at(-1)?.message).toBe('and 880 complaints more');
  });

  test('more lines than anyone reads are refused as such', () => {
    const text = `${smallPlan}${'  - { when: { step: any }, do: stop }\n'.repeat(500)}`;
    expect(complaintsOf(text).map(({ path, message }) => [path, message])).toEqual([
      ['matrix', 'is too long'],
    ]);
  });
});

describe('keys that are names of every object', () => {
  test.each(['__proto__', 'constructor', 'prototype'])('%s is refused as a key', (key) => {
    const text = edited(smallPlan, ['  old-code: { code: rollback }', `  ${key}: { code: rollback }`]);
    expect(complaintsOf(text).map(({ message }) => message)).toEqual([`${key} is refused as a key`]);
  });
  test.each(['constructor', 'toString', 'valueOf'])('%s is no fallback', (word) => {
    const text = edited(smallPlan, ['do: stop', `do: ${word}`]);
    expect(complaintsOf(text).map(({ path }) => path)).toEqual(['matrix[0].do']);
  });
});

describe('a plan made by a program', () => {
  test('is checked like one in YAML', () => {
    expect(checkFile({ soakgate: 1 })).toHaveProperty('remarks');
    expect(checkFile(null)).toHaveProperty('remarks');
  });
  test('has the very same rules: what YAML gave is accepted', async () => {
    const { parse } = await import('yaml');
    expect(checkFile(parse(smallPlan))).toEqual({ plan: planOf(smallPlan) });
  });
});
