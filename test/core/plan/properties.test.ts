import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { canonical } from '../../../src/core/canonical.ts';
import { parsePlan, renderComplaint } from '../../../src/core/plan/parse.ts';
import { readSource } from '../../../src/core/plan/source.ts';
import { edited, planOf, smallPlan } from './small-plan.ts';

/** `npm run test:unit` takes a fifth of them. */
const times = (runs: number): number => (process.env['SOAKGATE_QUICK'] ? runs / 5 : runs);

const rightOrComplained = (text: string): void => {
  const result = parsePlan(text, 'plan.yaml');
  if ('plan' in result) return;
  expect(result.complaints.length).toBeGreaterThan(0);
  const lines = text.split(/\n/u).length;
  for (const complaint of result.complaints) {
    expect(complaint.line).toBeGreaterThanOrEqual(1);
    expect(complaint.line).toBeLessThanOrEqual(lines);
    expect(complaint.column).toBeGreaterThanOrEqual(1);
    expect(renderComplaint(complaint)).not.toMatch(/[\n\r]|undefined|\[object|NaN/u);
  }
};

const mutation = fc.record({
  at: fc.nat(smallPlan.length),
  cut: fc.nat(30),
  put: fc.oneof(
    fc.string({ maxLength: 8 }),
    fc.constantFrom(
      '[',
      ']',
      '{',
      '}',
      ': ',
      '- ',
      '\n',
      '\t',
      '&a ',
      '*a',
      '!!x ',
      '<<: ',
      'on',
      '"',
      "'",
      '|',
      '>',
      '#',
      '%',
      '? ',
      ', ',
      '~',
      '1e999',
      '\u0000',
      '\uD800',
      '__proto__: ',
    ),
  ),
});

describe('parsePlan', () => {
  test('never throws on arbitrary text', () => {
    const any = fc.nat(0xffff).map((unit) => String.fromCharCode(unit));
    const sign = fc.constantFrom(
      '\n',
      ' ',
      '  ',
      ':',
      ': ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      ',',
      '"',
      "'",
      '|',
      '>',
      '#',
      '&a',
      '*a',
      '!',
      '%',
      '?',
      'a',
      '1',
      '\t',
      '\r',
      '\u0000',
      '\uFEFF',
      '\uD800',
    );
    fc.assert(fc.property(fc.string({ unit: fc.oneof(sign, any), maxLength: 200 }), rightOrComplained), {
      numRuns: times(500),
    });
  });

  test('never throws on arbitrary YAML values', () => {
    const key = fc.oneof(
      fc.constantFrom(
        'soakgate',
        'steps',
        'environments',
        'matrix',
        'monitors',
        'fallbacks',
        'gate',
        'staging',
        'step',
        'when',
        'do',
        'in',
        'restart',
        'services',
        'toString',
      ),
      fc.string({ maxLength: 5 }),
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'medium' },
        fc.string(),
        fc.double({ noNaN: true }),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(key, tie('tree'), { maxKeys: 6 }),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => rightOrComplained(stringify(value))),
      { numRuns: times(150) },
    );
  });

  test('never throws on a plan that was changed at some places', () => {
    const mutate = (text: string, { at, cut, put }: { at: number; cut: number; put: string }) =>
      text.slice(0, at) + put + text.slice(at + cut);
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) =>
        rightOrComplained(mutations.reduce(mutate, smallPlan)),
      ),
      { numRuns: times(300) },
    );
  });

  test('never throws when a line is missing, doubled or moved', () => {
    const lines = smallPlan.split('\n');
    const change = fc.tuple(
      fc.nat(lines.length - 1),
      fc.nat(lines.length - 1),
      fc.constantFrom('cut', 'double', 'move'),
    );
    fc.assert(
      fc.property(change, ([from, to, how]) => {
        const rest = how === 'double' ? [...lines] : lines.toSpliced(from, 1);
        rightOrComplained((how === 'cut' ? rest : rest.toSpliced(to, 0, lines[from] ?? '')).join('\n'));
      }),
      { numRuns: times(150) },
    );
  });
});

describe('the canonical text of a plan', () => {
  const hashed = canonical(planOf(smallPlan));

  /**
   * The same tree with the keys of each block in another order; the order of environments means something and
   * stays.
   */
  function shuffled(value: unknown, next: () => number, path: string): unknown {
    if (Array.isArray(value)) return value.map((item) => shuffled(item, next, `${path}[]`));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, member]) => ({
      key,
      member: shuffled(member, next, `${path}.${key}`),
      place: next(),
    }));
    const order = path === '.environments' ? entries : entries.toSorted((a, b) => a.place - b.place);
    return Object.fromEntries(order.map(({ key, member }) => [key, member]));
  }

  test('does not depend on the order of keys, on style or on white space', () => {
    const { value } = readSource(smallPlan);
    fc.assert(
      fc.property(
        fc.infiniteStream(fc.nat()),
        fc.constantFrom<'BLOCK' | 'FLOW'>('BLOCK', 'FLOW'),
        fc.integer({ min: 1, max: 6 }),
        (stream, collectionStyle, indent) => {
          const text = stringify(
            shuffled(value, () => stream.next().value as number, ''),
            { collectionStyle: collectionStyle === 'FLOW' ? 'flow' : 'block', indent, version: '1.1' },
          );
          expect(canonical(planOf(text))).toBe(hashed);
        },
      ),
      { numRuns: times(30) },
    );
  });

  test('does not depend on comments', () => {
    const lines = smallPlan.split('\n');
    const comment = fc.tuple(
      fc.nat(lines.length - 1),
      fc.string({ unit: fc.constantFrom('a', ':', ' ', '-', '"', '[', 'ü'), maxLength: 20 }),
    );
    fc.assert(
      fc.property(fc.array(comment, { maxLength: 8 }), (comments) => {
        const text = comments
          .reduce<string[]>((current, [at, words]) => current.toSpliced(at, 0, `# ${words}`), lines)
          .join('\n');
        expect(canonical(planOf(text))).toBe(hashed);
      }),
      { numRuns: times(30) },
    );
  });

  test('depends on every value and on the order of steps and environments', () => {
    const changed = [
      edited(smallPlan, ['for: 7d', 'for: 8d']),
      edited(smallPlan, ['total = 0', 'total = 1']),
      edited(smallPlan, ['above 500ms', 'above 501ms']),
      edited(smallPlan, [
        '  - { step: preview',
        '  - { step: early, check: { constraints: [a] } }\n  - { step: preview',
      ]),
    ].map((text) => canonical(planOf(text)));
    expect(new Set([hashed, ...changed]).size).toBe(changed.length + 1);
  });

  test('writes out what was left out: the default and its absence are one plan', () => {
    const spelt = edited(
      smallPlan,
      ['folder: migrations,', 'folder: migrations, ledger: schema_migrations,'],
      ['backup: { keep', 'backup: { tool: pg_dump, format: custom, keep'],
      ['do: stop }', 'do: stop, severity: medium }'],
    );
    expect(canonical(planOf(spelt))).toBe(hashed);
  });
});
