// `npm run new` begins a kind: a copy of the project still has right types afterwards, and the new test is
// red.
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { families, namesOf, withLine } from '../../scripts/new-kind.ts';
import { ran, run } from '../support/programs.ts';

const ROOT = join(import.meta.dirname, '../..');
const COPIED = ['activities', 'src', 'test', 'worker', 'workflows', 'scripts', 'dist', 'package.json'];
const CONFIGS = [
  'tsconfig.json',
  'tsconfig.base.json',
  'oxlint.config.ts',
  'vitest.config.ts',
  '.oxfmtrc.json',
];
const begun = [
  ['step', 'copy-rows', '--in', 'data'],
  ['monitor', 'queue-depth'],
  ['migrator', 'fly-way'],
  ['restarter', 'unit-file'],
] as const;
const packaged = (...path: string[]) => join(ROOT, 'node_modules', ...path);
const MINUTES_MS = 240_000;

let copy: string;
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'soakgate-new-'));
  for (const name of [...COPIED, ...CONFIGS])
    cpSync(join(ROOT, name), join(copy, name), { recursive: true, preserveTimestamps: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  // Without the database and the bundle that the project's own configuration makes.
  writeFileSync(join(copy, 'plain.config.ts'), 'export default {};\n');
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

const begin = (...args: string[]) =>
  run(process.execPath, [join(ROOT, 'scripts/new.ts'), ...args, '--root', copy]);

describe('npm run new', () => {
  test(
    'begins a step, a monitor, a migrator and a restarter: types are right, and each test says what ' +
      'to fill in',
    async () => {
      for (const [kind, key, ...more] of begun) {
        const { exitCode, stdout } = await begin(kind, key, ...more);
        expect(exitCode).toBe(0);
        expect(stdout).toContain(`npm test -- test/activities/${key}.test.ts`);
      }
      await ran(process.execPath, [packaged('typescript/bin/tsc'), '-b'], { cwd: copy, limitMs: MINUTES_MS });
      const tests = begun.map(([, key]) => `test/activities/${key}.test.ts`);
      const vitest = [packaged('vitest/vitest.mjs'), 'run', '--config', 'plain.config.ts', ...tests];
      const red = await run(process.execPath, vitest, {
        cwd: copy,
        env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
        limitMs: MINUTES_MS,
      });
      for (const [, key] of begun)
        expect(red.stdout + red.stderr).toMatch(new RegExp(`${key}.ts (does|reads) nothing yet`));
      expect(red.stdout).toContain(`${begun.length} failed (${begun.length})`);
    },
    MINUTES_MS,
  );

  test.each([
    [['step', 'migrate'], 'src/core/plan/steps/migrate.ts is there already'],
    [['step', 'undo-run'], 'the list steps has undoRun already'],
    [['step', 'delete'], 'delete is a word of TypeScript'],
    [['monitor', 'Queue'], 'Queue is no name for a kind'],
    [['monitor', 'queue', '--in', 'data'], 'always lies in activities/monitors'],
    [['step', 'seed', '--in', 'nowhere'], 'there is no folder activities/nowhere'],
    [['step', 'await'], 'await is a word of TypeScript'],
    [['step', 'a'.repeat(61)], 'is no name for a kind'],
    [['step', 'seed', '--in', '../src'], 'there is no folder activities/../src'],
    [['step', 'seed', '--in', 'index.ts'], 'there is no folder activities/index.ts'],
    [['step', 'seed', '--in', ''], 'there is no folder activities/'],
    [['step', '-x'], 'usage: npm run new'],
    [['gate', 'seed'], 'usage: npm run new -- step|monitor|migrator|restarter NAME'],
  ])('%j is refused, and nothing is written', async (args, why) => {
    const lists = () =>
      ['activities/index.ts', 'activities/monitors/index.ts', 'src/core/plan/steps/index.ts'].map((path) =>
        readFileSync(join(copy, path), 'utf8'),
      );
    const before = lists();
    const { exitCode, stderr } = await begin(...args);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(why);
    expect(lists()).toEqual(before);
  });
});

test('what cannot be written to its end is taken away again', async () => {
  const tests = join(copy, 'test/activities');
  renameSync(tests, `${tests}-away`);
  const list = () => readFileSync(join(copy, 'activities/index.ts'), 'utf8');
  const before = list();
  expect((await begin('step', 'seed')).exitCode).toBe(1);
  renameSync(`${tests}-away`, tests);
  expect(list()).toBe(before);
  const core = join(copy, 'src/core/plan/steps/seed.ts');
  expect(existsSync(core)).toBe(false);
});

test('every list of a family is found where the script looks for it', () => {
  for (const { lists, folder } of Object.values(families))
    for (const { file, ...entry } of lists(namesOf('some-thing', folder)))
      expect(withLine(readFileSync(join(ROOT, file), 'utf8'), entry)).toContain(entry.line);
});
