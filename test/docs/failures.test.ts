// docs/failures.md is the table, and every code of it is used.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { failurePage } from '../../scripts/failure-table.ts';
import { failures } from '../../src/core/failures.ts';

const ROOT = join(import.meta.dirname, '../..');

test('the page of failures is the table in the code', () => {
  expect(readFileSync(join(ROOT, 'docs/failures.md'), 'utf8'), 'run: npm run generate').toBe(failurePage());
});

test('every code of the table is thrown somewhere, so that no remedy is written for nothing', () => {
  const sources = ['activities', 'src', 'workflows'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('failures.ts'))
      .map((name) => readFileSync(join(ROOT, folder, name), 'utf8')),
  );
  const text = sources.join('\n');
  expect(Object.keys(failures).filter((code) => !text.includes(`'${code}'`))).toEqual([]);
});
