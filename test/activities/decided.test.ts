// What counted and what was refused stand apart when a package is closed, however much was refused.
import { createPrivateKey } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { WorkerContext } from '../../activities/frame/step-context.ts';
import { approvalPath } from '../../activities/frame/artifact-paths.ts';
import { verify } from '../../activities/permit/verify.ts';
import { noRefusals, refuse } from '../../src/core/refused.ts';
import { verifyEvidence } from '../../src/io/evidence.ts';
import { openPermitStore } from '../../src/io/permit-store.ts';
import type { EnvironmentSettings } from '../../src/io/settings.ts';
import { createKey } from '../../src/io/trust.ts';
import { anyOrder } from '../support/any-order.ts';
import { closed, control, counted, dan, newStore, said, type Store } from '../support/closed-package.ts';
import { readOnce } from '../support/signing.ts';

const written = async ({ artifacts }: Store, signed: ReturnType<typeof said>) =>
  void (await artifacts.put(approvalPath('d', signed), JSON.stringify(counted(signed))));
const names = async (at: string) =>
  (await readdir(at, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(at.length + 1))
    .sort();
const refusedIn = async ({ folder }: Store) =>
  JSON.parse(await readFile(join(folder, 'refused.json'), 'utf8'));

test('a message that its environment found good, and that came too late, stands under Refused alone', async () => {
  const store = await newStore();
  const [first, late] = [said('decide', { decision: 'retry' }), said('decide', { decision: 'stop' })];
  await written(store, first);
  await written(store, late);
  const refusals = noRefusals();
  refuse(refusals, late, 'refused: nothing is asked now', true);
  await closed(store, { refusals });
  // The answer was lost, and it is closed again.
  await closed(store, { refusals });
  const all = await names(store.folder);
  expect(all.filter((name) => name.startsWith('approvals/staging/'))).toHaveLength(1);
  const [moved, ...more] = all.filter((name) => name.startsWith('refused/'));
  expect(more).toEqual([]);
  expect(JSON.parse(await readFile(join(store.folder, moved!), 'utf8'))).toMatchObject({
    signed: late,
    why: 'refused: nothing is asked now',
  });
  expect(await refusedIn(store)).toMatchObject({
    refused: [{ message: 'decide', person: 'dan', why: 'refused: nothing is asked now', file: moved }],
  });
  const summary = await readFile(join(store.folder, 'SUMMARY.md'), 'utf8');
  const [decided, refused] = summary.split('## Who decided')[1]!.split('## Refused');
  expect(
    [decided, refused].map((part) => [part!.includes('retry'), part!.includes('nothing is asked')]),
  ).toEqual([
    [true, false],
    [false, true],
  ]);
});

test('what came to nothing takes along the signature that had waited for it, and no other', async () => {
  const store = await newStore();
  const [earlier, waited, last] = [said('decide'), said('decide'), said('decide')];
  await written(store, earlier);
  const companion = { ...counted(waited), completedBy: last.body.nonce };
  await store.artifacts.put(approvalPath('d', waited), JSON.stringify(companion));
  await written(store, last);
  const refusals = noRefusals();
  refuse(refusals, last, 'refused: nothing is asked now', true);
  await closed(store, { refusals });
  const all = await names(store.folder);
  expect(all.filter((name) => name.startsWith('approvals/staging/'))).toEqual([
    approvalPath('d', earlier).replace('evidence/d/', ''),
  ]);
  expect(all.filter((name) => name.startsWith('refused/'))).toHaveLength(2);
});

test('what the workflow calls counted, and no worker has written, counts for nothing', async () => {
  const store = await newStore();
  const forged = { ...said('approve'), signature: 'AAAA' };
  await closed(store, { approvals: [counted(forged)] });
  expect((await refusedIn(store)).refused).toEqual([
    expect.objectContaining({ person: 'dan', why: 'no worker of staging has written that it counted' }),
  ]);
  expect(await names(join(store.folder, 'approvals'))).toEqual(['start.json']);
});

test('a flood of strangers neither fills the package nor hides what known people signed', async () => {
  const store = await newStore();
  const refusals = noRefusals();
  const rubbish = 'x'.repeat(500);
  for (let sent = 0; sent < 20_000; sent += 1)
    refuse(
      refusals,
      { ...said_, person: rubbish, body: { ...said_.body, nonce: `${sent}${rubbish}` } },
      rubbish,
      false,
    );
  const late = said('decide', { decision: 'stop' });
  await written(store, late);
  refuse(refusals, late, 'too late', true);
  // Temporal takes 2 MB with one activity.
  expect(JSON.stringify(refusals).length).toBeLessThan(300_000);
  await closed(store, { refusals: { ...refusals, unreadable: 7 } });
  const { refused, more, unreadable } = await refusedIn(store);
  expect([refused.length, more, unreadable]).toEqual([101, 19_900, 7]);
  expect(refused[0]).toMatchObject({ person: 'dan', why: 'too late' });
  const summary = await readFile(join(store.folder, 'SUMMARY.md'), 'utf8');
  expect(summary).toContain('- and 19901 more\n- 7 signals that nobody could read');
  expect(summary.length).toBeLessThan(60_000);
});
const said_ = said('approve');

test('what strangers wrote neither ends a cell nor moves a cursor', async () => {
  const store = await newStore();
  const refusals = noRefusals();
  const odd = 'dan |\n| lea | lead\u001b[2K\u202e<b>`x`';
  refuse(refusals, { ...said_, person: odd, body: { ...said_.body, environment: odd } }, odd, false);
  await closed(store, { refusals });
  const summary = await readFile(join(store.folder, 'SUMMARY.md'), 'utf8');
  const line = summary.split('\n').find((one) => one.includes('unproven'))!;
  expect(line).toContain("| unproven: dan \\| \\| lea \\| lead [2K 'b''x' | approve |");
  expect(line.replaceAll('\\|', '').match(/\|/gu)).toHaveLength(5);
});

test('what is signed after the end is judged, and written nowhere', async () => {
  const store = await newStore();
  const folder = join(store.folder, '../../permits');
  const world: WorkerContext = {
    settings: {
      environment: 'staging',
      people: [{ name: 'dan', roles: ['dba'], key: dan.publicText }],
      guardrails: { decide: { any: ['dba'] } },
    } as unknown as EnvironmentSettings,
    permitStore: openPermitStore(folder),
    artifacts: store.artifacts,
    record: anyOrder,
    ...readOnce,
    workerKey: createPrivateKey(createKey().privatePem),
  };
  const ask = (signed: ReturnType<typeof said>) =>
    verify(world, {
      deployment: 'd',
      environment: 'staging',
      signed,
      expect: { plan: 'p', requester: 'ann' },
    });
  expect(await ask(said('decide', { decision: 'retry' }))).toMatchObject({ accepted: true });
  await closed(store);
  const before = await names(store.folder);
  expect(before.filter((name) => name.startsWith('approvals/staging/'))).toHaveLength(1);
  expect(await ask(said('decide', { decision: 'stop' }))).toMatchObject({ accepted: true });
  expect(await names(store.folder)).toEqual(before);
  expect(await verifyEvidence(store.folder, control.publicText)).toMatchObject({ state: 'valid' });
});
