// The table of attacks by message, each by update, signal and HTTP, at a gate and in a soak: nothing moves, each is
// refused or named, and the honest deployment then comes to its own end. The judge reads the database and the service's
// folder only.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeSomeone } from '../../src/cli/demo/place.ts';
import { deploymentWorkflowId, rolloutWorkflowId } from '../../src/core/ids.ts';
import type { SealedGateReport, Signed } from '../../src/core/messages.ts';
import { shownProgress } from '../../src/client/shown-progress.ts';
import type { DeploymentResult } from '../../workflows/contract.ts';
import type { Answer } from '../../workflows/messages.ts';
import type { Progress } from '../../workflows/progress.ts';
import { raiseServer, type Server } from '../api/http.ts';
import { gatedPlan } from '../cli/play.ts';
import { judge } from '../support/judge.ts';
import { ranNow } from '../support/programs.ts';
import {
  type Cast,
  ordersDatabase,
  raiseEnvironment,
  raiseStage,
  type Stage,
  start as begin,
} from '../support/stage.ts';
import { ATTACKS, honestMessage, OF_ONE_KIND, type Prey, type Sent } from './table.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });
const ENVIRONMENT = 'prey';
const MINUTE = 60_000;
let stage: Stage;
let cast: Cast;
let server: Server;
let started: Awaited<ReturnType<typeof begin>>;
let prey: Prey;
let tried = 0;

const deployment = () =>
  stage.connected.client.workflow.getHandle<() => Promise<DeploymentResult>>(
    deploymentWorkflowId(started.deployment),
  );
const rollout = () => stage.connected.client.workflow.getHandle(rolloutWorkflowId('orders', ENVIRONMENT));
const update = (signed: Signed) =>
  deployment().executeUpdate<Answer, [Signed]>(signed.message, {
    args: [signed],
    updateId: `${signed.message} ${signed.body.nonce}`,
  });
const progressOf = async (workflowId: string) =>
  shownProgress(await stage.connected.client.workflow.getHandle(workflowId).query<Progress>('progress'));
const progress = () => progressOf(deploymentWorkflowId(started.deployment));
const until = async (what: string, seen: () => Promise<boolean>) => {
  for (const deadline = Date.now() + MINUTE; Date.now() < deadline;) {
    if (await seen().catch(() => false)) return;
    await new Promise((wake) => setTimeout(wake, 100));
  }
  throw new Error(`${what}: not reached; ${JSON.stringify(await progress())}`);
};
/** Files by their md5, links by where they lead. */
const LISTED = 'find . -type f -exec md5sum {} + | sort; find . -type l -printf "%p %l\\n" | sort';
const moved = async () => ({
  database: await judge(cast.database),
  root: ranNow('sh', ['-c', LISTED], { cwd: cast.place.root }),
});

beforeAll(async () => {
  stage = await raiseStage();
  const mallory = await makeSomeone(join(stage.folder, 'mallory'), 'mallory', []);
  const any = { any: ['lead', 'dba'] };
  cast = await raiseEnvironment(stage, await ordersDatabase(stage, ENVIRONMENT), {
    environment: ENVIRONMENT,
    guardrails: { decide: any, rollback: any, operate: any },
  });
  server = await raiseServer({ TEMPORAL_ADDRESS: stage.server.address });
  started = await begin(stage, gatedPlan(ENVIRONMENT), { pace: { nominalMs: 10 * MINUTE, realMs: MINUTE } });
  await until('a report is sealed', async () => (await report()) !== null);
  const { gateReport, hash } = (await report())!;
  const keys = Object.fromEntries(
    [...Object.values(stage.people), mallory].map(({ name, keyFile }) => [name, keyFile]),
  );
  const base = { ...gateReport, gateReport: hash, keys: { ...keys, lеa: mallory.keyFile } };
  // lea's attestation: the gate then waits for dan alone.
  const honest = await honestMessage({ ...base, counted: null as never }, 'attest');
  expect(await update(honest)).toMatchObject({ accepted: true });
  prey = { ...base, counted: honest };
}, 240_000);
afterAll(async () => {
  await server?.end();
  await cast?.stop();
  await stage?.stop();
}, MINUTE);

const report = () => deployment().query<SealedGateReport | null, [string]>('gateReport', ENVIRONMENT);

const AT_GATE: readonly Sent[] = ['approve', 'attest', 'reject', 'decide', 'rollback', 'abort'];
const IN_SOAK: readonly Sent[] = ['decide', 'rollback', 'abort', 'pause', 'resume', 'extendSoak', 'checkNow'];
const rows = (messages: readonly Sent[]) =>
  messages.flatMap((message) => [
    ...Object.entries(ATTACKS).map(([what, attack]) => [message, what, attack] as const),
    ...OF_ONE_KIND.filter(([, of]) => of === message).map(
      ([what, , attack]) => [message, what, attack] as const,
    ),
  ]);

describe('at the gate', { timeout: 120_000 }, () => {
  let before: object;
  beforeAll(async () => void (before = await moved()));
  afterAll(async () => expect(await moved()).toEqual(before));

  test.each(rows(AT_GATE))('by update: %s %s', async (message, _what, { make, says }) => {
    tried += 1;
    expect(await update(await make(prey, message))).toEqual({
      accepted: false,
      text: expect.stringMatching(says),
    });
  });

  test.each(rows(AT_GATE))('by HTTP: %s %s', async (message, _what, { make, says }) => {
    const signed = await make(prey, message);
    const answer = await fetch(`${server.url}/v1/deployments/${started.deployment}/messages/${message}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(signed),
    });
    const { detail } = (await answer.json()) as { detail: string };
    // What has not even the shape of one never reaches the deployment.
    expect([400, 403, 422]).toContain(answer.status);
    if (answer.status !== 403) return;
    tried += 1;
    expect(detail).toMatch(says);
  });

  test('by signal, all at once', async () => {
    const all = await Promise.all(rows(AT_GATE).map(async ([message, , { make }]) => make(prey, message)));
    for (const signed of all) await deployment().signal(signed.message, signed);
    tried += all.length;
    const dropped = async () => (await progress()).waitingFor;
    await until(
      'the gate still waits for dan',
      async () => (await dropped())?.includes('approval by dba') === true,
    );
  });

  test.each<[string, object]>([
    ['its soak has passed', { is: 'soakPassed', environment: ENVIRONMENT, outcome: ended('passed') }],
    ['it is about to change', { is: 'aboutToChange', environment: ENVIRONMENT }],
    ['it has ended well', { is: 'ended', environment: ENVIRONMENT, result: ended('passed') }],
    ['it has failed', { is: 'ended', environment: ENVIRONMENT, result: ended('failed') }],
    ['it has ended elsewhere', { is: 'ended', environment: 'elsewhere', result: ended('passed') }],
    ['it waits for nothing', { is: 'waiting', environment: ENVIRONMENT, waiting: null }],
    ['a decision was answered', { is: 'answered', nonce: 'n', accepted: true, text: 'decided' }],
    ['nothing', {}],
    ['something unknown', { is: 'opened', environment: ENVIRONMENT }],
  ])('by the signal of a rollout: %s', async (_what, fact) => {
    await deployment().signal('fact', fact);
    expect((await deployment().describe()).status.name).toBe('RUNNING');
    const { waitingFor, lines } = await progress();
    expect(waitingFor).toContain('approval by dba');
    // Nothing was begun, so nothing is shown as passed or ended.
    expect(lines.map(({ state }) => state)).toEqual(['waiting']);
  });
});

describe('in the soak', { timeout: 120_000 }, () => {
  let before: object;
  beforeAll(async () => {
    expect(await update(await honestMessage(prey, 'approve'))).toMatchObject({ accepted: true });
    await until('it soaks', async () => (await progressOf(rollout().workflowId)).phase === 'soak');
    before = await moved();
  }, 120_000);
  afterAll(async () => expect(await moved()).toEqual(before));

  test.each(rows(IN_SOAK))('by update: %s %s', async (message, _what, { make, says }) => {
    tried += 1;
    expect(await update(await make(prey, message))).toEqual({
      accepted: false,
      text: expect.stringMatching(says),
    });
  });

  test.each<[string, object]>([
    ['proceed', { is: 'proceed' }],
    ['close', { is: 'close' }],
    [
      'an unsigned abort',
      { is: 'message', signed: { message: 'abort', person: 'lea', body: {}, signature: '' } },
    ],
    ['something unknown', { is: 'migrate' }],
    ['nothing', {}],
  ])('by the signal of a deployment: %s', async (_what, command) => {
    await rollout().signal('command', command);
    expect((await rollout().describe()).status.name).toBe('RUNNING');
  });
});

test('then the attacker stops: the deployment ends by itself, nothing is wedged, and what was refused stands there', async () => {
  const result = await deployment().result();
  expect(result).toMatchObject({ outcome: 'completed', reason: 'every environment passed' });
  const file = join(stage.artifacts, 'evidence', started.deployment, 'refused.json');
  const { refused, more } = JSON.parse(await readFile(file, 'utf8')) as { refused: object[]; more: number };
  expect(refused.length + more).toBeGreaterThanOrEqual(tried);
  expect(tried).toBeGreaterThanOrEqual(150);
  const open = stage.connected.client.workflow.list({ query: "ExecutionStatus = 'Running'" });
  const running: string[] = [];
  for await (const { workflowId } of open) running.push(workflowId);
  expect(running).toEqual([]);
}, 180_000);

function ended(outcome: string) {
  const empty = { receipts: [], undos: [], differences: [], soak: null };
  return { ...empty, environment: ENVIRONMENT, outcome, reason: 'as somebody says' };
}
