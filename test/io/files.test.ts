// What could not be written whole leaves nothing beside it.
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeWhole } from '../../src/io/files.ts';

test('a file that cannot take its place is taken away again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sg-files-'));
  await mkdir(join(folder, 'taken'));
  await expect(writeWhole(join(folder, 'taken'), 'text')).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST/u);
  expect(await readdir(folder)).toEqual(['taken']);
  await rm(folder, { recursive: true });
});
