// What callers say names no folder and no file: a rollout's hash is a hash or nothing, and of nonces of any length and
// spelling no two are one.
import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openPermitStore } from '../../src/io/permit-store.ts';

const store = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sg-permits-'));
  return { folder, permits: openPermitStore(join(folder, 'permits')) };
};

test.each([
  '../../planted',
  '..',
  '',
  '/planted',
  'ABCDEF0123',
  '012345678',
  '01234567890',
  '0123456789\n',
  'x',
])('a rollout with the hash %j is none, though a kept permit lies where it leads', async (hash) => {
  const { folder, permits } = await store();
  const rollout = { deployment: 'd', service: 's', environment: 'e', list: 'l', hash };
  await mkdir(join(folder, 'permits/rollouts'), { recursive: true });
  await mkdir(join(folder, 'planted'));
  for (const place of ['planted', 'permits', 'permits/rollouts'])
    await writeFile(join(folder, place, 'kept.json'), JSON.stringify({ rollout, list: {}, permit: {} }));
  const asked = [
    () => permits.rollout(rollout),
    () => permits.closed(rollout),
    () => permits.close(rollout, 'passed'),
    () => permits.note(rollout, 'kept.json'),
    () => permits.noteAgain(rollout, 'kept.json', '{}'),
    async () => permits.processNotes(rollout),
  ];
  for (const ask of asked) await expect(async () => ask()).rejects.toMatchObject({ code: 'NOT_PERMITTED' });
  expect(await permits.all('s')).toEqual([]);
  expect(await permits.open('s')).toEqual([]);
  expect((await readdir(join(folder, 'permits'))).toSorted()).toEqual(['kept.json', 'rollouts']);
});

test('two nonces are two, whatever they consist of, and one of 10,000 characters is one', async () => {
  const { permits } = await store();
  const nonces = ['a.b', 'a_b', 'a/b', '../a', 'A.b', ' a.b', 'n'.repeat(10_000), `${'n'.repeat(9_999)}m`];
  for (const nonce of nonces) expect(await permits.spendNonce(nonce, `by ${nonce}`)).toBe(`by ${nonce}`);
  for (const nonce of nonces) expect(await permits.spendNonce(nonce, 'another')).toBe(`by ${nonce}`);
});

test('notice is given by the very person, for the very deployment', async () => {
  const { permits } = await store();
  await permits.giveNotice('d', 'l.ea', '2026-01-02T00:00:00Z');
  expect(await permits.noticeGiven('d', ['l_ea', 'l/ea'])).toBeUndefined();
  expect(await permits.noticeGiven('d', ['l_ea', 'l.ea'])).toBe('2026-01-02T00:00:00Z');
  expect(await permits.noticeGiven('d.', ['l.ea'])).toBeUndefined();
});

test('what a killed attempt has left in the working folder is gone when its rollout is closed', async () => {
  const { folder, permits } = await store();
  const rollout = { deployment: 'd', service: 's', environment: 'e', list: 'l', hash: '0123456789' };
  await writeFile(await permits.working(rollout, 'backup.1'), 'as large as the database');
  await permits.close(rollout, 'restored');
  expect(await readdir(join(folder, 'permits/rollouts/0123456789'))).toEqual(['closed']);
});
