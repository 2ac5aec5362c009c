// What cannot be read is no proof that nothing is there (rule 1).
import { mkdtemp, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openPermitStore } from '../../src/io/permit-store.ts';

test('no folder of rollouts is no open rollout; one that cannot be read is an error, not "none is open"', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sg-absent-'));
  expect(await openPermitStore(folder).open('orders')).toEqual([]);
  const broken = join(folder, 'broken');
  await mkdir(broken);
  await writeFile(join(broken, 'rollouts'), 'a file where a folder should be');
  await expect(openPermitStore(broken).open('orders')).rejects.toThrow('ENOTDIR');
});
