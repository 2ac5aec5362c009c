// The notice of a window: attested by a person, counted by the environment's own clock, from the first time.
import { createPrivateKey } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { beforeDeploying, refuseOutside } from '../../activities/permit/before-deploying.ts';
import { verify } from '../../activities/permit/verify.ts';
import type { WorkerContext } from '../../activities/frame/step-context.ts';
import { openArtifacts } from '../../src/io/artifacts.ts';
import { anyOrder } from '../support/any-order.ts';
import { openPermitStore } from '../../src/io/permit-store.ts';
import type { EnvironmentSettings } from '../../src/io/settings.ts';
import { createKey, signMessage } from '../../src/io/trust.ts';
import { here, readOnce } from '../support/signing.ts';

const HOUR = 3_600_000;
const SUNDAY = Date.parse('2026-11-29T01:00:00Z');
const window = { opens: '0 2 * * SUN', zone: 'Europe/Berlin', lengthMs: 2 * HOUR, noticeMs: 48 * HOUR };
const { privatePem, publicText } = createKey();
let folder: string;
let world: WorkerContext;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sg-entry-'));
  const settings = {
    environment: 'production',
    people: [{ name: 'lea', key: publicText, roles: ['lead'] }],
    guardrails: {},
  } as unknown as EnvironmentSettings;
  world = {
    settings,
    permitStore: openPermitStore(join(folder, 'used')),
    artifacts: openArtifacts(join(folder, 'artifacts')),
    record: anyOrder,
    ...readOnce,
    workerKey: createPrivateKey(createKey().privatePem),
  };
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterAll(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true, force: true });
});

const attest = async (deployment: string, at: number, attestation = 'notice') => {
  vi.setSystemTime(at);
  const expires = new Date(at + HOUR).toISOString();
  const body = {
    deployment,
    environment: 'production',
    ...here(),
    nonce: `${at}`,
    expires,
    plan: 'p',
    attestation,
    text: 'told',
  };
  const signed = signMessage(createPrivateKey(privatePem), 'attest', 'lea', body);
  return verify(world, {
    deployment,
    environment: 'production',
    signed,
    expect: { plan: 'p', requester: 'ann' },
  });
};
const ask = (deployment: string, at: number, facts = ['window-open', 'notice-given']) => {
  vi.setSystemTime(at);
  return beforeDeploying(world, { deployment, facts, noticeBy: ['lea'], window });
};

test('S1-29: 48 hours of notice before the window; 47 hours are refused until the next one', async () => {
  expect(await ask('late', SUNDAY)).toMatchObject({
    open: false,
    waitMs: null,
    why: 'notice has not been given',
  });
  expect(await attest('late', SUNDAY - 47 * HOUR)).toMatchObject({ accepted: true });
  expect(await ask('late', SUNDAY)).toMatchObject({
    open: false,
    waitMs: 168 * HOUR,
    why: 'the window opens Sun 2026-12-06 02:00 Europe/Berlin',
  });
  await expect(
    refuseOutside(world, {
      deployment: 'late',
      facts: ['window-open', 'notice-given'],
      noticeBy: ['lea'],
      window,
    }),
  ).rejects.toMatchObject({
    code: 'OUTSIDE_WINDOW',
  });
  await attest('early', SUNDAY - 48 * HOUR);
  expect(await ask('early', SUNDAY)).toMatchObject({ open: true });
  await expect(
    refuseOutside(world, {
      deployment: 'early',
      facts: ['window-open', 'notice-given'],
      noticeBy: ['lea'],
      window,
    }),
  ).resolves.toBeUndefined();
});

test('attested again it counts from the first time; another statement is no notice', async () => {
  await attest('again', SUNDAY - 50 * HOUR);
  await attest('again', SUNDAY - 2 * HOUR);
  expect(await ask('again', SUNDAY)).toMatchObject({ open: true });
  vi.setSystemTime(SUNDAY);
  expect(
    await beforeDeploying(world, { deployment: 'again', facts: ['notice-given'], noticeBy: ['sam'], window }),
    'attested by somebody else',
  ).toMatchObject({ open: false });
  await attest('other', SUNDAY - 50 * HOUR, 'tried');
  expect(await ask('other', SUNDAY)).toMatchObject({ open: false });
});

test('an environment without a window is not entered by a gate that asks for one', async () => {
  expect(
    await beforeDeploying(world, { deployment: 'x', facts: ['window-open'], noticeBy: [], window: null }),
  ).toMatchObject({ open: false });
  expect(
    await beforeDeploying(world, { deployment: 'x', facts: [], noticeBy: [], window: null }),
  ).toMatchObject({ open: true });
});
