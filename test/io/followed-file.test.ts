// A log read piece by piece on a real file system, while it is rotated in the ways that are in use.
import { appendFile, copyFile, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { followFile, type NewLines } from '../../src/io/followed-file.ts';

let folder: string;
let log: string;
let last: NewLines;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sg-log-'));
  log = join(folder, 'app.log');
  await writeFile(log, 'before\n');
  last = await followFile(log, undefined);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const next = async () => (last = await followFile(log, last.place));
const write = (text: string) => appendFile(log, text);
/** As Python's RotatingFileHandler does. */
async function rotate(): Promise<void> {
  for (const at of [2, 1]) await rename(`${log}.${at}`, `${log}.${at + 1}`).catch(() => undefined);
  await rename(log, `${log}.1`);
  await writeFile(log, '');
}

test('what was there before is not read; each whole line is read once', async () => {
  expect(last.lines).toEqual([]);
  await write('one\ntwo\nhal');
  expect((await next()).lines).toEqual(['one', 'two']);
  expect((await next()).lines).toEqual([]);
  await write('f\nthree\n');
  expect(await next()).toMatchObject({ lines: ['half', 'three'], lost: false });
});

test('T-55: rotated once or twice in between: no loss, no repeat', async () => {
  await write('one\n');
  await next();
  await write('two\n');
  await rotate();
  await write('three\n');
  expect(await next()).toMatchObject({ lines: ['two', 'three'], lost: false });
  await write('four\n');
  await rotate();
  await write('five\n');
  await new Promise((resolve) => setTimeout(resolve, 20));
  await rotate();
  await write('six\n');
  expect(await next()).toMatchObject({ lines: ['four', 'five', 'six'], lost: false });
  expect((await next()).lines).toEqual([]);
});

test('taken away before it was read to its end, or copied and cut off: that lines are gone is said', async () => {
  await write('gone\n');
  await rm(log);
  await writeFile(log, 'new\n');
  expect(await next()).toMatchObject({ lines: ['new'], lost: true });
  await write('much more than what comes afterwards\n');
  await next();
  await copyFile(log, `${log}.1`);
  await truncate(log);
  await write('short\n');
  expect(await next()).toMatchObject({ lines: ['short'], lost: true });
});

test('a file that is not there cannot be read', async () => {
  await rm(log);
  await expect(next()).rejects.toThrow('ENOENT');
});
