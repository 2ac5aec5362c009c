// Quorum means quorum: where the guardrails name several roles, one signature changes nothing, and only the same words
// about the same question count together, once.
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { MessageName, Signed } from '../../src/core/messages.ts';
import type { Json } from '../../src/core/plan/plan.ts';
import { openArtifacts } from '../../src/io/artifacts.ts';
import { anyOrder } from '../support/any-order.ts';
import { openPermitStore } from '../../src/io/permit-store.ts';
import type { EnvironmentSettings } from '../../src/io/settings.ts';
import { createKey, signMessage } from '../../src/io/trust.ts';
import { verify } from '../../activities/permit/verify.ts';
import type { WorkerContext } from '../../activities/frame/step-context.ts';
import { createPrivateKey } from 'node:crypto';
import { here, readOnce } from '../support/signing.ts';

const ROLES = {
  lea: ['lead'],
  dan: ['dba'],
  eve: ['lead', 'dba'],
  ann: ['developer'],
  max: ['lead'],
} as const;
type Name = keyof typeof ROLES;
const keys = Object.fromEntries(Object.keys(ROLES).map((name) => [name, createKey()])) as Record<
  Name,
  ReturnType<typeof createKey>
>;
const EACH = { each: ['lead', 'dba'] };

let world: WorkerContext;
beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sg-together-'));
  world = {
    settings: {
      environment: 'production',
      people: Object.entries(ROLES).map(([name, roles]) => ({
        name,
        roles,
        key: keys[name as Name].publicText,
      })),
      guardrails: { start: EACH, approve: EACH, rollback: EACH, decide: EACH, operate: EACH },
    } as unknown as EnvironmentSettings,
    permitStore: openPermitStore(join(folder, 'permits')),
    artifacts: openArtifacts(join(folder, 'artifacts')),
    record: anyOrder,
    ...readOnce,
    workerKey: createPrivateKey(createKey().privatePem),
  };
});

const sign = (
  by: Name,
  message: MessageName,
  words: Readonly<Record<string, Json>>,
  expiresMs = 60_000,
): Signed =>
  signMessage(createPrivateKey(keys[by].privatePem), message, by, {
    deployment: 'd',
    environment: 'production',
    ...here(),
    nonce: randomUUID(),
    expires: new Date(Date.now() + expiresMs).toISOString(),
    ...words,
  });
const send = (signed: Signed, question = 'what now?') =>
  verify(world, {
    deployment: 'd',
    environment: 'production',
    signed,
    expect: { plan: 'p', requester: 'ann', question },
  });
const decide = (by: Name, decision = 'continue', more = {}, expiresMs?: number) =>
  sign(by, 'decide', { decision, ...more }, expiresMs);

const WAITS_FOR_DBA = { accepted: true, waiting: '1 of 2 signatures, waiting for dba' };
const counts = { accepted: true, reason: 'counted' };

describe.each([
  ['decide', { decision: 'continue' }],
  ['rollback', { fallback: 'restore' }],
  ['resume', {}],
] as const)('%s needs each role', (message, words) => {
  test('the first signature waits for the other, which completes it', async () => {
    expect(await send(sign('lea', message, words))).toMatchObject(WAITS_FOR_DBA);
    const completing = sign('dan', message, words);
    const second = await send(completing);
    // Its answer was lost, and it is asked for again.
    expect(await send(completing)).toEqual(second);
    expect(second).toMatchObject(counts);
    expect(second).not.toHaveProperty('waiting');
    // Who has to see all of them, as a restore does, is handed all of them.
    expect(second.others?.map(({ signed: { person }, roles }) => [person, roles])).toEqual([
      ['lea', ['lead']],
    ]);
  });

  test('two of one role, one person twice, and somebody without a role do not complete it', async () => {
    for (const by of ['lea', 'max', 'lea'] as const)
      expect(await send(sign(by, message, words))).toMatchObject(WAITS_FOR_DBA);
    expect(await send(sign('ann', message, words))).toMatchObject({ accepted: false });
    expect(await send(sign('dan', message, words))).not.toHaveProperty('waiting');
  });

  test('one person with both roles fills one', async () => {
    expect(await send(sign('eve', message, words))).toMatchObject(WAITS_FOR_DBA);
    expect(await send(sign('eve', message, words))).toMatchObject(WAITS_FOR_DBA);
    expect(await send(sign('lea', message, words))).not.toHaveProperty('waiting');
  });
});

test('other words, and the same words to another question, are counted apart', async () => {
  expect(await send(decide('lea'))).toMatchObject(WAITS_FOR_DBA);
  expect(await send(decide('dan', 'downgrade'))).toMatchObject({
    waiting: '1 of 2 signatures, waiting for lead',
  });
  expect(await send(decide('dan'), 'and now?')).toMatchObject({
    waiting: '1 of 2 signatures, waiting for lead',
  });
  expect(await send(decide('dan'))).not.toHaveProperty('waiting');
});

test('reason, comment and what was counted as lost are each signer’s own', async () => {
  expect(await send(decide('lea', 'continue', { reason: 'known', loses: '3 rows' }))).toMatchObject(
    WAITS_FOR_DBA,
  );
  expect(await send(decide('dan', 'continue', { loses: '4 rows' }))).not.toHaveProperty('waiting');
});

test('what has counted once counts for nothing else; its answer may be asked for again', async () => {
  const first = decide('lea');
  await send(first);
  const completing = decide('dan');
  for (let times = 0; times < 3; times += 1) expect(await send(completing)).not.toHaveProperty('waiting');
  expect(await send(decide('dan'))).toMatchObject({ waiting: '1 of 2 signatures, waiting for lead' });
  // Nor does the very message that completed it, brought again to another question.
  // And neither of them, in the other order.
  const counted = { accepted: false, reason: 'not counted: it has counted before; sign again' };
  for (const one of [completing, first, completing])
    expect(await send(one, 'and now?')).toMatchObject(counted);
});

test('the evidence gets what has counted, all of it, and nothing of what only waits', async () => {
  const folder = join(await world.artifacts.path('evidence/d/approvals/production/x'), '..');
  const recorded = async () =>
    (await readdir(folder)).map((name) => name.split('-').slice(0, 2).join('-')).toSorted();
  await send(decide('lea'));
  await send(decide('dan', 'downgrade'));
  expect(await recorded()).toEqual([]);
  await send(decide('dan'));
  expect(await recorded()).toEqual(['decide-dan', 'decide-lea']);
});

test('a signature whose time is over while it waits no longer counts', async () => {
  await send(decide('lea', 'continue', {}, 300));
  await new Promise((wake) => setTimeout(wake, 400));
  expect(await send(decide('dan'))).toMatchObject({ waiting: '1 of 2 signatures, waiting for lead' });
});

test('a person who was taken out of the file while the signature waits no longer counts', async () => {
  await send(decide('lea'));
  const { settings } = world;
  world = {
    ...world,
    settings: { ...settings, people: settings.people.filter(({ name }) => name !== 'lea') },
  };
  expect(await send(decide('dan'))).toMatchObject({ waiting: '1 of 2 signatures, waiting for lead' });
});

test.each([
  ['abort', {}],
  ['pause', {}],
  ['checkNow', {}],
  ['rollback', {}],
  ['decide', { decision: 'stop' }],
] as const)('stopping and looking need one person: %s %j', async (message, words) => {
  expect(await send(sign('lea', message, words))).not.toHaveProperty('waiting');
  expect(await send(sign('ann', message, words))).toMatchObject({ accepted: false });
});

test('where any one role does, one signature counts', async () => {
  const { settings } = world;
  const guardrails = { ...settings.guardrails, decide: { any: ['lead', 'dba'] } };
  world = { ...world, settings: { ...settings, guardrails } };
  expect(await send(decide('dan'))).not.toHaveProperty('waiting');
});

test('each record names the message that completed it, so that what comes to nothing takes all of them along', async () => {
  const completing = decide('dan');
  await send(decide('lea'));
  await send(completing);
  await send(sign('lea', 'pause', {}));
  const folder = await world.artifacts.path('evidence/d/approvals/production/x');
  const records = await Promise.all(
    (await readdir(dirname(folder))).map(async (name) =>
      JSON.parse(await readFile(join(dirname(folder), name), 'utf8')),
    ),
  );
  const { nonce } = completing.body;
  expect(records.map(({ signed, completedBy }) => [signed.message, completedBy])).toEqual([
    ['decide', nonce],
    ['decide', nonce],
    ['pause', undefined],
  ]);
});
