// A signature counts in one namespace, is no younger than now, and nobody's counts while the environment's file cannot
// be read.
import { createPrivateKey } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { WorkerContext } from '../../activities/frame/step-context.ts';
import { ownRecord } from '../../activities/frame/own-record.ts';
import { judgePerson, verify } from '../../activities/permit/verify.ts';
import type { MessageName, Signed } from '../../src/core/messages.ts';
import type { Json } from '../../src/core/plan/plan.ts';
import { openArtifacts } from '../../src/io/artifacts.ts';
import { openPermitStore } from '../../src/io/permit-store.ts';
import type { EnvironmentSettings } from '../../src/io/settings.ts';
import { createKey, signMessage } from '../../src/io/trust.ts';
import { here, readOnce } from '../support/signing.ts';

const dan = createKey();
const any = { any: ['dba'] };
let world: WorkerContext;
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sg-where-'));
  const permitStore = openPermitStore(join(folder, 'permits'));
  world = {
    settings: {
      environment: 'production',
      people: [{ name: 'dan', roles: ['dba'], key: dan.publicText }],
      guardrails: { start: any, approve: any, rollback: any, decide: any, operate: any },
    } as unknown as EnvironmentSettings,
    permitStore,
    artifacts: openArtifacts(join(folder, 'artifacts')),
    record: ownRecord(permitStore),
    ...readOnce,
    workerKey: createPrivateKey(createKey().privatePem),
  };
});

let nonce = 0;
const signed = (message: MessageName, change: Readonly<Record<string, Json | undefined>>): Signed => {
  const body = {
    deployment: 'd',
    environment: 'production',
    ...here(),
    nonce: String(nonce++),
    expires: new Date(Date.now() + 60_000).toISOString(),
    ...(message === 'decide' && { decision: 'continue' }),
    ...change,
  };
  return signMessage(createPrivateKey(dan.privatePem), message, 'dan', JSON.parse(JSON.stringify(body)));
};
const send = (message: MessageName, change: Readonly<Record<string, Json | undefined>> = {}, of = world) =>
  verify(of, {
    deployment: 'd',
    environment: 'production',
    signed: signed(message, change),
    expect: { plan: 'p', requester: 'ann' },
  });
const MESSAGES: readonly MessageName[] = [
  'decide',
  'rollback',
  'resume',
  'abort',
  'pause',
  'checkNow',
  'reject',
];
const ahead = new Date(Date.now() + 600_000).toISOString();

test.each(MESSAGES)('%s counts here and now', async (message) => {
  expect(await send(message)).toMatchObject({ accepted: true });
});

test.each(
  MESSAGES.flatMap((message): [MessageName, Readonly<Record<string, Json | undefined>>, string][] => [
    [message, { namespace: 'other' }, 'namespace "other", and this worker works in default'],
    [message, { namespace: undefined }, 'namespace null'],
    [message, { namespace: ['default'] }, 'namespace ["default"]'],
    [message, { signedAt: undefined }, 'does not say when it was signed'],
    [message, { signedAt: 'yesterday' }, 'does not say when it was signed'],
    [message, { signedAt: ahead }, 'still to come'],
  ]),
)('%s with %j is not counted', async (message, change, reason) => {
  expect(await send(message, change)).toMatchObject({
    accepted: false,
    reason: expect.stringContaining(reason),
  });
});

test('a start of another namespace is refused, too', () => {
  const start = (namespace: string) =>
    judgePerson(world, signed('start', { namespace }), 'start', world.settings.guardrails.start);
  expect(start('default')).toMatchObject({ accepted: true });
  expect(start('other')).toMatchObject({ accepted: false, reason: expect.stringContaining('namespace') });
});

test('nobody counts while the file cannot be read', async () => {
  const broken = { ...world, fileFault: 'staging.yaml cannot be read: people is missing' };
  for (const message of MESSAGES)
    expect(await send(message, {}, broken)).toMatchObject({
      accepted: false,
      reason: expect.stringContaining('mend the file and send it again'),
    });
});
