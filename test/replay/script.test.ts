// scripts/replay.ts, which docs/debugging.md tells people to run on a history of the evidence.
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '../support/programs.ts';

const root = join(import.meta.dirname, '../..');
const replay = (...files: string[]) =>
  run(process.execPath, [join(root, 'scripts/replay.ts'), ...files], { cwd: root });
const recorded = join(root, 'test/replay/histories/rejected.rollout.json');

test('a history that fits is said to replay; one that does not is named, with exit code 1', async () => {
  const other = join(await mkdtemp(join(tmpdir(), 'sg-replay-')), 'changed.json');
  const text = (await readFile(recorded, 'utf8')).replaceAll(
    '"name":"openRollout"',
    '"name":"somethingElse"',
  );
  expect(text).toContain('somethingElse');
  await writeFile(other, text);
  const both = await replay(recorded, other);
  expect(both).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('rejected.rollout: replays\n') });
  expect(both.stdout).toMatch(/^changed: does not replay: .*/mu);
  expect(await replay()).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('which history?') });
});
