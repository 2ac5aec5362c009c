// A line that a full disk has cut off stays alone: the next one begins behind it.
import { appendFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openArtifacts } from '../../src/io/artifacts.ts';

test('a line behind one that was cut off is a line of its own, and its end is where it is said to be', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sg-artifacts-'));
  const artifacts = openArtifacts(folder);
  const file = join(folder, 'a/lines');
  expect(await artifacts.append('a/lines', 'one')).toBe(4);
  await appendFile(file, '{"at":1');
  const end = await artifacts.append('a/lines', 'two');
  expect(await readFile(file, 'utf8')).toBe('one\n{"at":1\ntwo\n');
  expect(end).toBe((await stat(file)).size);
  await rm(folder, { recursive: true });
});
