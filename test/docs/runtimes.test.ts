// What runs is asked of the runtime, so that a second one is a file and a line.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

test('no activity outside the runtimes knows how a release is found or switched', () => {
  const files = globSync('activities/**/*.ts', { cwd: ROOT }).filter(
    (path) => !path.startsWith('activities/runtimes/'),
  );
  const knowing = files.filter((path) =>
    /'(?:current|releases)'|runtimes\/checkout(?:-link)?\.ts|readlink/u.test(
      readFileSync(join(ROOT, path), 'utf8'),
    ),
  );
  expect(files.length).toBeGreaterThan(50);
  expect(knowing).toEqual([]);
});
