// docs/traps.md: each number that a test or a comment names stands there once, in order.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/traps.md'), 'utf8');
const listed = [...page.matchAll(/^\| (T-\d\d) \| .+\. \|$/gmu)].map(([, number]) => number);

test('lists each trap that is named anywhere, once and in order', () => {
  const own = ['test/docs/traps.test.ts', 'test/docs/words.test.ts', 'test/docs/runbooks.test.ts'];
  const files = globSync(['{src,activities,workflows,worker,test}/**/*.ts'], { cwd: root });
  const named = files
    .filter((file) => !own.includes(file))
    .flatMap((file) => readFileSync(join(root, file), 'utf8').match(/\bT-\d\d\b/gu) ?? []);
  expect(listed).toEqual([...new Set(listed)].toSorted((one, other) => one!.localeCompare(other!)));
  expect([...new Set(named)].filter((number) => !listed.includes(number))).toEqual([]);
});

test('no capability number of another page is left in the code', () => {
  const files = globSync(['{src,activities,workflows,worker}/**/*.ts'], { cwd: root });
  const found = files.filter((file) => /\bC-\d\d\b|\bDESIGN\b/u.test(readFileSync(join(root, file), 'utf8')));
  expect(found).toEqual([]);
});
