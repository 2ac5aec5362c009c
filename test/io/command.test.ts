// A command that cannot be noted is ended: a later attempt would not know of it.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { processStartTime, runCommand } from '../../src/io/command.ts';

test('it fails as its note does, and has ended by then', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sg-command-'));
  const [notes, pid] = [join(folder, 'notes'), join(folder, 'pid')];
  // As on a full disk: nothing can be written there.
  await writeFile(notes, '');
  const argv = ['sh', '-c', `trap '' TERM; echo $$ > ${pid}; sleep 30`];
  const { PATH = '' } = process.env;
  await expect(runCommand({ argv, env: { PATH }, notes })).rejects.toThrow(/EEXIST|ENOTDIR/u);
  // One that lives on has said its name by then.
  await new Promise((wake) => setTimeout(wake, 1_000));
  const written = await readFile(pid, 'utf8').catch(() => '');
  if (written) expect(processStartTime(Number(written))).toBeUndefined();
  await rm(folder, { recursive: true });
});
