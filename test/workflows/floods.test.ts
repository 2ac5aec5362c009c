// Two thousand messages that nobody known has signed, straight to Temporal: to a deployment and to a rollout. An
// honest one is answered within seconds all the same, and the history holds little more than what was sent.
import { randomBytes } from 'node:crypto';
import { createPrivateKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MessageName } from '../../src/core/messages.ts';
import { deploymentWorkflowId, rolloutWorkflowId } from '../../src/core/ids.ts';
import { createKey, signMessage } from '../../src/io/trust.ts';
import { gatedPlan, type Play, raisePlay } from '../cli/play.ts';

const ENVIRONMENT = 'staging';
const MESSAGES = 2_000;
const AT_ONCE = 50;
/** What an honest message may wait, on a machine that does much else. */
const HONEST_MS = 10_000;
/** Events of what goes on besides. */
const AROUND = 600;
let play: Play;
let plan: string;

beforeAll(async () => {
  play = await raisePlay(ENVIRONMENT);
  plan = await play.writePlan('soakgate.yaml', gatedPlan(ENVIRONMENT));
}, 120_000);
afterAll(async () => {
  await Promise.all([play?.cast.control.kill(), play?.cast.worker.kill()]);
  await play?.stop();
}, 60_000);

const stranger = createPrivateKey(createKey().privatePem);
const PEOPLE = ['ann', 'dan', 'lea', 'mallory'];

/** Of every kind that costs the receiver more or less. */
function garbage(
  deployment: string,
  messages: readonly MessageName[],
  at: number,
  characters = 500,
): unknown {
  const message = messages[at % messages.length]!;
  const body = {
    deployment,
    environment: ENVIRONMENT,
    nonce: at % 10 === 0 ? `twice-${at % 100}` : `flood-${at}`,
    expires: '2099-01-01T00:00:00.000Z',
    gateReport: 'a'.repeat(64),
    attestation: 'tried',
    comment: 'x'.repeat(characters),
  };
  const person = PEOPLE[at % PEOPLE.length]!;
  if (at % 7 === 0) return { message, person, body: { ...body, nonce: null }, signature: '' };
  if (at % 3 === 0) return { message, person, body, signature: randomBytes(64).toString('base64') };
  return signMessage(stranger, message, person, body);
}

async function flood(
  workflowId: string,
  signal: string,
  args: (at: number) => unknown,
  length: number,
): Promise<void> {
  const handle = play.stage.connected.client.workflow.getHandle(workflowId);
  const numbers = Array.from({ length }, (_, at) => at).values();
  const line = async () => {
    for (const at of numbers) await handle.signal(signal, args(at));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, line));
}

const start = (name: string, pace: string) =>
  play.soakgate([
    'start',
    plan,
    '--as',
    'ann',
    '--repository',
    play.stage.repository,
    '--name',
    name,
    '--pace',
    pace,
  ]);
const status = async (name: string) => {
  const { out, err } = await play.soakgate(['status', name]);
  return out + err;
};
const events = async (workflowId: string): Promise<number> =>
  (await play.stage.connected.client.workflow.getHandle(workflowId).describe()).historyLength;

/** Everything waits until the environment's worker is there again: the most that can stand before an honest message. */
async function floodWhileAway(
  workflowId: string,
  signal: string,
  args: (at: number) => unknown,
  length = MESSAGES,
): Promise<void> {
  await play.cast.worker.kill();
  await flood(workflowId, signal, args, length);
  await play.cast.worker.start();
}

async function timed(args: readonly string[]): Promise<{ readonly said: string; readonly tookMs: number }> {
  const sent = performance.now();
  const { out, err } = await play.soakgate(args);
  return { said: out + err, tookMs: performance.now() - sent };
}

describe('2,000 messages of nobody', { timeout: 300_000 }, () => {
  test('to a deployment at its gate: an approval is counted within ten seconds', async () => {
    const id = deploymentWorkflowId('flooded');
    await start('flooded', '10m=5m');
    await expect.poll(() => status('flooded'), { timeout: 60_000 }).toContain('attestation tried');
    const before = await events(id);
    await floodWhileAway(id, 'approve', (at) => garbage('flooded', ['approve'], at));
    const { said, tookMs } = await timed(['approve', 'flooded', ENVIRONMENT, '--as', 'dan', '--yes']);
    expect(said).toContain('counted, 1 of 1');
    expect(tookMs).toBeLessThan(HONEST_MS);
    expect(await events(id)).toBeLessThan(before + MESSAGES + AROUND);
    expect(await status('flooded')).toMatch(/\d{3,} messages were dropped among many/u);
  });

  test('to a rollout: a command to it is answered within ten seconds', async () => {
    const id = rolloutWorkflowId('orders', ENVIRONMENT);
    const attested = await play.soakgate(['attest', 'flooded', ENVIRONMENT, 'tried', '--as', 'lea', '--yes']);
    expect(attested.out).toContain('attested');
    await expect.poll(() => status('flooded'), { timeout: 60_000 }).toContain('soak');
    const [before, parent] = [await events(id), await events(deploymentWorkflowId('flooded'))];
    const kinds = ['abort', 'pause', 'decide', 'rollback', 'extendSoak'] as const;
    await floodWhileAway(id, 'command', (at) => ({ is: 'message', signed: garbage('flooded', kinds, at) }));
    const { said, tookMs } = await timed(['check-now', 'flooded', ENVIRONMENT, '--as', 'lea']);
    expect(said).toContain('reading now');
    expect(tookMs).toBeLessThan(HONEST_MS);
    expect(await events(id)).toBeLessThan(before + MESSAGES + AROUND);
    expect(await events(deploymentWorkflowId('flooded'))).toBeLessThan(parent + AROUND);
    expect(await status('flooded')).toMatch(/\d{3,} messages were dropped among many/u);
    expect((await timed(['abort', 'flooded', ENVIRONMENT, '--as', 'lea', '--yes'])).said).toContain(
      'rolling back',
    );
  });

  test('as updates: what has no shape stands in no history, and the rest keeps no approval out', async () => {
    const id = deploymentWorkflowId('updated');
    await start('updated', '10m=5m');
    await expect.poll(() => status('updated'), { timeout: 60_000 }).toContain('attestation tried');
    const before = await events(id);
    const { client } = play.stage.connected;
    const handle = client.workflow.getHandle(id);
    const update = (signed: unknown) =>
      client.connection
        .withDeadline(Date.now() + HONEST_MS, () => handle.executeUpdate('approve', { args: [signed] }))
        .then(
          () => 'answered',
          () => 'refused',
        );
    const shapeless = await Promise.all(Array.from({ length: 200 }, () => update({ message: 'approve' })));
    expect(new Set(shapeless)).toEqual(new Set(['refused']));
    expect(await events(id)).toBe(before);
    const shaped = Array.from({ length: 200 }, (_, at) => update(garbage('updated', ['approve'], at)));
    const { tookMs } = await timed(['approve', 'updated', ENVIRONMENT, '--as', 'dan', '--yes']);
    await Promise.all(shaped);
    expect(tookMs).toBeLessThan(2 * HONEST_MS);
    // Its command may have lost its update to them, and have left a signal.
    await expect.poll(() => status('updated'), { timeout: 60_000 }).not.toContain('approval by dba');
  });

  test('of 30 KB each: they are dropped unasked, and status says what they leave of the history', async () => {
    const id = deploymentWorkflowId('heavy');
    await start('heavy', '10m=5m');
    await expect.poll(() => status('heavy'), { timeout: 60_000 }).toContain('attestation tried');
    await floodWhileAway(id, 'approve', (at) => garbage('heavy', ['approve'], at, 30_000), 900);
    const { said, tookMs } = await timed(['approve', 'heavy', ENVIRONMENT, '--as', 'dan', '--yes']);
    expect(said).toContain('counted, 1 of 1');
    expect(tookMs).toBeLessThan(HONEST_MS);
    expect(await status('heavy')).toMatch(
      /heavy: its history holds \d+ events, 2\d\.\d MB: Temporal ends it at/u,
    );
  });
});
