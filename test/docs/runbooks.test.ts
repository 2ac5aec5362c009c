// docs/runbooks.md: every line is in it once, every test that it names is there, and its table is the sum of
// its rows.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Ran, runbookPage } from '../../scripts/runbooks.ts';
import { open, passes, signed, testsOf } from '../runbooks/line.ts';
import { systems } from '../runbooks/lines.ts';
import { traps } from '../runbooks/traps.ts';
import { wholeTexts } from './whole-texts.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const lines = systems.flatMap((system) => system.lines);
const ids = (name: string, count: number) =>
  Array.from({ length: count }, (_, at) => `${name}-${String(at + 1).padStart(2, '0')}`);

describe('the lines', () => {
  test('are those of both runbooks, each once, in their order', () =>
    expect(lines.map(({ id }) => id)).toEqual([...ids('S0', 105), ...ids('S1', 60)]));

  test('name tests that are there: the file, and the words in its text', () => {
    const lost = lines.flatMap(({ id, shown }) =>
      ('test' in shown ? shown.test : []).flatMap(({ file, title }) => {
        if (!existsSync(join(ROOT, file))) return [`${id}: ${file} is missing`];
        return wholeTexts(read(file)).replaceAll("\\'", "'").includes(title)
          ? []
          : [`${id}: ${file} does not hold "${title}"`];
      }),
    );
    expect(lost).toEqual([]);
  });

  test('that are shown have a test, and those that are not have a reason', () => {
    for (const { id, shown } of lines)
      expect('not' in shown ? shown.not.length > 5 : shown.test.length > 0, id).toBe(true);
  });
});

test('every measured trap that touches these runbooks is in the title of a test', () => {
  const files = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.test.ts'),
  );
  const code = files
    .map((name) => wholeTexts(read(join('test', name))).replace(/^\s*\/\/.*$/gmu, ''))
    .join('\n');
  const titles = [
    ...code.matchAll(/(?:\b(?:test|describe)(?:\.\w+)?\(|\[|^)\s*(['"`])(.*?[^\\])\1\s*[,:]/gmu),
  ]
    .map(([, , title]) => title)
    .join('\n');
  expect(traps.filter(({ id }) => !new RegExp(`\\b${id}\\b`, 'u').test(titles)).map(({ id }) => id)).toEqual(
    [],
  );
});

describe('docs/runbooks.md', () => {
  const rows = (text: string) =>
    text.split('\n').flatMap((line) => (line.startsWith('| ') ? [line.slice(2, -2).split(' | ')] : []));
  const page = () => rows(read('docs/runbooks.md'));

  test('has a row for each line', () => {
    expect(page().flatMap(([id = '']) => (/^S\d-\d+$/u.test(id) ? [id] : []))).toEqual(
      lines.map(({ id }) => id),
    );
  });

  test.each(systems)('$name: its row in the table is the sum of its lines', ({ name, lines: own }) => {
    const results = page()
      .filter(([id]) => id?.startsWith(`${name}-`))
      .map((row) => row.at(-1));
    const count = (result: string) => results.filter((other) => other === result).length;
    const expected = [own.length, count('passed'), count('recorded'), count('not shown')];
    expect(page().find(([id]) => id === name)).toEqual([name, ...expected.map(String)]);
    expect(expected.slice(1).reduce((sum, one) => sum + one, 0)).toBe(own.length);
  });
});

describe('the page', () => {
  const some = testsOf('some');
  const system = [
    {
      name: 'S9',
      title: 'made up',
      lines: [
        passes('S9-01', 'a', 'step a', some('first'), some('second')),
        signed('S9-02', 'b | c', 'decision by ann', some('third')),
        open('S9-03', 'd', 'later'),
      ],
    },
  ];
  const ran = (...statuses: string[]): Ran[] =>
    ['first', 'second', 'third'].map((name, at) => ({
      file: 'test/some.test.ts',
      name: `all ${name}`,
      status: statuses[at] ?? 'passed',
    }));
  const table = (tests: readonly Ran[]) =>
    runbookPage(tests, system, [])
      .split('\n')
      .find((line) => line.startsWith('| S9 |'));

  test('counts what has passed, what was recorded, and what nothing shows', () => {
    expect(table(ran())).toBe('| S9 | 3 | 1 | 1 | 1 |');
    expect(runbookPage(ran(), system, [])).toContain(
      '| S9-02 | b \\| c | decision by ann — [some](../test/some.test.ts): third | recorded |',
    );
  });

  test.each(['failed', 'skipped', 'pending'])('one of its tests %s: not shown, and said so', (status) => {
    expect(table(ran('passed', status, status))).toBe('| S9 | 3 | 0 | 0 | 3 |');
    expect(runbookPage(ran('passed', status), system, [])).toContain('“second” did not pass; step a');
  });

  test('tests that nothing fits are an error that names the lines', () => {
    expect(() => runbookPage(ran().slice(1), system, [])).toThrow(
      'S9-01: no test of test/some.test.ts has "first" in its name',
    );
  });

  test('a trap is shown by the tests that bear its name', () => {
    const trap = [{ id: 'T-99', line: 'it bites' }];
    const own: Ran = { file: 'test/some.test.ts', name: 'T-99: it does not', status: 'passed' };
    expect(runbookPage([...ran(), own], system, trap)).toContain(
      '| T-99 | it bites | [some](../test/some.test.ts): T-99: it does not | passed |',
    );
    expect(runbookPage(ran(), system, trap)).toContain('| T-99 | it bites |  | not shown |');
  });
});
