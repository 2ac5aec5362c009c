// Rule 8 against somebody who reaches Temporal: real server, real environment worker; nothing is written,
// each attempt is refused.
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { NativeConnection, Runtime, DefaultLogger, Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeSomeone, type Someone } from '../../src/cli/demo/place.ts';
import { deploymentInput, signStart } from '../../src/client/start.ts';
import type { GateReport, Permit, Signed } from '../../src/core/messages.ts';
import { CONTROL_QUEUE, environmentQueue, observeQueue, rolloutWorkflowId } from '../../src/core/ids.ts';
import { parsePlan } from '../../src/core/plan/parse.ts';
import type { Plan } from '../../src/core/plan/plan.ts';
import { newSoak } from '../../src/core/soak.ts';
import { readPrivateKey, sealGateReport, signMessage } from '../../src/io/trust.ts';
import type { EnvironmentRun } from '../../workflows/contract.ts';
import {
  type Cast,
  ordersDatabase,
  query,
  raiseEnvironment,
  raiseStage,
  type Stage,
} from '../support/stage.ts';
import { hashTree } from '../support/hash-tree.ts';
import type { Change } from './change.ts';
import { ALL, forged, loose, soon } from './forgeries.ts';
import { judge } from '../support/judge.ts';
import { twoPlacesPlan } from '../support/two-places.ts';
import { ranNow } from '../support/programs.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });
const QUEUE = environmentQueue('production');
const ROLLOUT = rolloutWorkflowId('orders', 'production');
let stage: Stage;
let cast: Cast;
let attacker: { worker: Worker; running: Promise<void>; connection: NativeConnection };
let people: Record<string, Someone>;

beforeAll(async () => {
  stage = await raiseStage();
  const eve = await makeSomeone(join(stage.folder, 'keys'), 'eve', ['lead', 'dba']);
  const mallory = await makeSomeone(join(stage.folder, 'mallory'), 'mallory', ['lead', 'dba']);
  people = { ...stage.people, eve, mallory, control: stage.control };
  const database = await ordersDatabase(stage, 'hostile');
  await query(
    database,
    `insert into customers (name, email)
      values ('a', 'a@example.org'); insert into orders (customer_id, status, total_cents)
      values (1, 'paid', -700)`,
  );
  cast = await raiseEnvironment(stage, database, {
    environment: 'production',
    people: [...Object.values(stage.people), eve],
    guardrails: {
      pace: 'refused',
      soak: 'at least 24h',
      start: { any: ['developer'] },
      approve: { each: ['dba'] },
    },
  });
  const connection = await NativeConnection.connect({ address: stage.server.address });
  const worker = await Worker.create({
    connection,
    workflowsPath: join(import.meta.dirname, '../fixtures/attacker.ts'),
    taskQueue: 'attacker',
  });
  attacker = { worker, running: worker.run(), connection };
}, 120_000);
afterAll(async () => {
  attacker?.worker.shutdown();
  await attacker?.running;
  await attacker?.connection.close();
  await cast?.stop();
  await stage?.stop();
});

interface Attempt {
  readonly done?: unknown;
  readonly refused?: string;
  readonly message?: string;
}
/** One activity from the attacker's own workflow; `as` is the workflow id it takes. */
const schedule = (activity: string, input: unknown, as = `attack/${randomUUID()}`, queue = QUEUE) =>
  stage.connected.client.workflow.execute('schedule', {
    taskQueue: 'attacker',
    workflowId: as,
    args: [queue, activity, input],
  }) as Promise<Attempt>;

/** All that can be written to: the database, every file of the place and the store, the worker's children. */
async function everything(): Promise<object> {
  const trees = await Promise.all([cast.place.root, cast.place.permitStore, stage.artifacts].map(hashTree));
  const [databases] = await query<{ names: string }>(
    cast.database,
    'select string_agg(datname, chr(32) order by datname) as names from pg_database',
  );
  return {
    database: await judge(cast.database),
    schemas: await query(cast.database, "select nspname from pg_namespace where nspname = 'soakgate'"),
    databases,
    trees,
    children: ranNow('sh', ['-c', `ps -o args= --ppid ${cast.worker.pid()} || true`]),
  };
}

const keyOf = (name: string) => readPrivateKey(people[name]!.keyFile);

/** What an honest deployment would bring to production, changed in one place. */
async function permitFor(change: Change = {}): Promise<{ run: EnvironmentRun; permit: Permit }> {
  const planText = change.plan ?? twoPlacesPlan('staging', 'production');
  const { plan } = parsePlan(planText, 'soakgate.yaml') as { plan: Plan };
  const person = change.start?.person ?? 'ann';
  const start = await signStart({
    planText,
    planFile: 'soakgate.yaml',
    plan,
    repository: stage.repository,
    person,
    key: await keyOf(change.start?.key ?? person),
    pace: change.pace ?? null,
    name: `orders-${randomUUID().slice(0, 8)}`,
    nonce: randomUUID(),
    expiresMs: change.start?.expiresMs ?? 3_600_000,
  });
  const run = deploymentInput(start).runs.find(({ rollout }) => rollout.environment === 'production')!;
  const about = {
    deployment: start.body.deployment,
    environment: 'production',
    plan: start.body.plan,
    list: run.rollout.list,
    commit: start.body.commit,
  };
  const facts = Object.fromEntries(
    ['soak-passed', 'same-release', 'backup-proven', 'rollback-rehearsed'].map((name) => [
      name,
      { holds: true, why: 'measured' },
    ]),
  );
  const gateReport: GateReport = { ...about, number: 1, requester: person, facts, summary: [] };
  const sealed = sealGateReport(
    await keyOf(change.gateReportKey ?? 'control'),
    change.gateReport?.(gateReport) ?? gateReport,
  );
  const signed = await Promise.all(
    (change.sign ?? ALL).map(
      async ({ message, person: name, key, body }: NonNullable<Change['sign']>[number]) =>
        signMessage(await keyOf(key ?? name), message, name, {
          ...about,
          nonce: randomUUID(),
          expires: new Date(Date.now() + 3_600_000).toISOString(),
          ...(message === 'approve'
            ? { gateReport: sealed.hash, comment: '' }
            : { attestation: 'tried', text: 'It was tried by hand' }),
          ...body,
        }),
    ),
  );
  const of = (message: string) => signed.filter((each) => each.message === message) as Signed[];
  return {
    run,
    permit: {
      start,
      environment: 'production',
      gateReport: sealed,
      approvals: of('approve'),
      attestations: of('attest'),
    },
  };
}

describe('refused, and nothing is written', () => {
  let before: object;
  beforeEach(async () => void (before = await everything()));
  afterEach(async () => expect(await everything()).toEqual(before));

  test.each(Object.entries(forged))('%s', async (_name, [change, reason]) => {
    const { run, permit } = await permitFor(change);
    const attempt = await schedule('openRollout', { rollout: run.rollout, permit }, ROLLOUT);
    expect(attempt).toMatchObject({ refused: 'PERMIT_REFUSED', message: expect.stringContaining(reason) });
  });

  test.each(Object.entries(loose))('looser than the guardrails: %s', async (_name, [change, reason]) => {
    const { run, permit } = await permitFor(change);
    expect(await schedule('openRollout', { rollout: run.rollout, permit }, ROLLOUT)).toMatchObject({
      refused: 'GUARDRAIL_NOT_MET',
      message: expect.stringContaining(reason),
    });
  });

  test('a service that the environment does not have: named, before anything is kept', async () => {
    const plan = twoPlacesPlan('staging', 'production').replace('service: orders', 'service: shop');
    const { run, permit } = await permitFor({ plan });
    const asker = rolloutWorkflowId('shop', 'production');
    expect(await schedule('openRollout', { rollout: run.rollout, permit }, asker)).toMatchObject({
      refused: 'SERVICE_UNKNOWN',
      message: expect.stringContaining('has no service shop'),
    });
  });

  test('what was signed is not what is asked for: list, plan, environment, names', async () => {
    const { run, permit } = await permitFor();
    const { rollout } = run;
    const { start } = permit;
    const body = {
      ...start.body,
      planText: start.body.planText.replace('total_cents = -total_cents', 'total_cents = 0'),
    };
    // Signed by the right person, but not what the plan compiles to: a client that showed her something else.
    const list = 'f'.repeat(64);
    const lied = signMessage(await keyOf('ann'), 'start', 'ann', {
      ...start.body,
      lists: { ...start.body.lists, production: list },
    });
    const attempts: [object, Permit | object, string][] = [
      [{ ...rollout, list }, { ...permit, start: lied }, 'the list that was signed is not what'],
      [rollout, {}, ''],
      [{ ...rollout, list: 'f'.repeat(64) }, permit, 'the list that was signed is not what'],
      [{ ...rollout, deployment: 'another' }, permit, 'signed for another deployment'],
      [{ ...rollout, hash: '0123456789' }, permit, 'the names of this rollout are not derived'],
      [rollout, { ...permit, start: { ...start, body } }, 'the signature does not match the public key'],
      [rollout, { ...permit, environment: 'staging' }, 'the permit is for staging'],
    ];
    for (const [ref, given, reason] of attempts) {
      const attempt = await schedule('openRollout', { rollout: ref, permit: given }, ROLLOUT);
      expect(attempt.refused).toMatch(/^(PERMIT_REFUSED|STEP_CRASHED)$/u);
      expect(attempt.message).toContain(reason);
    }
  });

  test('a rollout that was started directly, without a permit, ends without having done anything', async () => {
    const { run, permit } = await permitFor({ sign: [] });
    const result = (await stage.connected.client.workflow.execute('rollout', {
      taskQueue: CONTROL_QUEUE,
      workflowId: ROLLOUT,
      args: [{ run, permit, asksBeforeChange: false }],
    })) as { outcome: string; reason: string };
    expect(result).toMatchObject({
      outcome: 'failed',
      reason: expect.stringContaining('approval is missing'),
    });
    // Its control worker closes the evidence of the attempt; the place itself has written nothing.
    ranNow('rm', ['-rf', join(stage.artifacts, 'evidence', run.rollout.deployment)]);
  });

  test('single activities from a workflow of the attacker, without any permit', async () => {
    const { run } = await permitFor();
    const { rollout, list } = run;
    const undos = ['undoFix', 'downgrade', 'revertSwitch', 'revertRestart', 'undoRun', 'endMaintenance'];
    const kinds = [...new Map(list.steps.map((step) => [step.kind, step])).values()];
    for (const id of [ROLLOUT, undefined]) {
      for (const step of id ? kinds : kinds.slice(-3))
        expect(await schedule(step.kind, { rollout, step }, id), step.kind).toMatchObject({
          refused: 'NOT_PERMITTED',
        });
      for (const undo of id ? undos : undos.slice(0, 1))
        expect(await schedule(undo, { rollout, step: list.steps.at(-1) }, id), undo).toMatchObject({
          refused: 'NOT_PERMITTED',
        });
    }
    const free = {
      ...list.steps[0]!,
      kind: 'run',
      name: 'mine',
      changes: [],
      spec: { command: ['touch', join(cast.place.root, 'owned')] },
    };
    expect(await schedule('run', { rollout, step: free }, ROLLOUT)).toMatchObject({
      refused: 'NOT_PERMITTED',
    });
    const watch = { rollout, phase: 'watch', sliceMs: 100, state: newSoak() };
    expect(await schedule('observe', watch, ROLLOUT, observeQueue('production'))).toMatchObject({
      refused: 'NOT_PERMITTED',
    });
    expect(await schedule('compareRollback', { rollout, ran: [] })).toMatchObject({
      refused: 'NOT_PERMITTED',
    });
    expect(await schedule('closeRollout', { rollout, outcome: 'restored' })).toMatchObject({
      refused: 'NOT_PERMITTED',
    });
    // Where nothing was entered there is nothing to compare or close.
    expect(await schedule('compareRollback', { rollout, ran: [] }, ROLLOUT)).toMatchObject({
      done: { summary: 'nothing was deployed here' },
    });
    expect(await schedule('closeRollout', { rollout, outcome: 'restored' }, ROLLOUT)).toMatchObject({
      done: null,
    });
  });

  test('a name that leads elsewhere is no name: a planted permit is not read, and nothing is written there', async () => {
    const { run, permit } = await permitFor();
    const planted = join(stage.folder, 'planted');
    const hash = relative(join(cast.place.permitStore, 'rollouts'), planted);
    const rollout = { ...run.rollout, hash };
    const step = {
      ...run.list.steps[0]!,
      kind: 'run',
      name: 'mine',
      changes: [],
      spec: { command: ['touch', join(cast.place.root, 'owned')] },
    };
    const list = { ...run.list, steps: [{ ...step, index: 0 }] };
    await mkdir(planted, { recursive: true });
    await writeFile(join(planted, 'kept.json'), JSON.stringify({ rollout, permit, list }));
    const kept = await hashTree(planted);
    const asked: readonly (readonly [string, object])[] = [
      ['run', { rollout, step: list.steps[0] }],
      ['undoRun', { rollout, step: list.steps[0] }],
      ['compareRollback', { rollout, ran: [] }],
      ['countNewer', { rollout }],
      ['closeRollout', { rollout, outcome: 'passed' }],
      ['forwardFix', { rollout, step: list.steps[0], fallback: 'restore' }],
    ];
    for (const [activity, input] of asked)
      expect(await schedule(activity, input, ROLLOUT), activity).toMatchObject({ refused: 'NOT_PERMITTED' });
    const observe = { rollout, phase: 'watch', sliceMs: 100, state: newSoak() };
    expect(await schedule('observe', observe, ROLLOUT, observeQueue('production'))).toMatchObject({
      refused: 'NOT_PERMITTED',
    });
    expect(await hashTree(planted)).toEqual(kept);
    // The control worker writes evidence under names of its own only.
    const closing = {
      deployment: 'orders-1',
      outcome: 'completed',
      start: permit.start,
      workflows: [],
      approvals: [],
    };
    const outcome = {
      environment: 'production',
      receipts: [],
      undos: [],
      outcome: 'passed',
      differences: [],
      soak: null,
    };
    for (const name of ['..', '../planted', '../../planted', 'a/b', '/planted', ''])
      for (const input of [
        { ...closing, deployment: name, environments: [] },
        { ...closing, environments: [{ ...outcome, environment: name }] },
      ])
        expect(await schedule('closeEvidence', input, undefined, CONTROL_QUEUE), name).toMatchObject({
          refused: 'NOT_PERMITTED',
        });
    ranNow('rm', ['-rf', join(stage.artifacts, 'evidence', 'orders-1')]);
  });

  test('messages: another key, another gate report, expired, the requester, somebody unknown', async () => {
    const { run, permit } = await permitFor();
    const { start, gateReport } = permit;
    const expect_ = {
      plan: start.body.plan,
      list: run.rollout.list,
      commit: start.body.commit,
      requester: 'ann',
      gateReport: gateReport!.hash,
    };
    const judge = async (change: NonNullable<Change['sign']>[number]) => {
      const other = await permitFor({ sign: [change] });
      const base = (permit.approvals[0] as Signed).body;
      const body = { ...base, nonce: randomUUID(), ...change.body };
      const signed = signMessage(
        await keyOf(change.key ?? change.person),
        change.message,
        change.person,
        body,
      );
      expect(other.permit.approvals).toHaveLength(1);
      return (
        await schedule('verify', {
          deployment: start.body.deployment,
          environment: 'production',
          signed,
          expect: expect_,
        })
      ).done;
    };
    const refused = (reason: string) =>
      expect.objectContaining({ accepted: false, reason: expect.stringContaining(reason) });
    expect(await judge({ message: 'approve', person: 'dan', key: 'mallory' })).toEqual(
      refused('the signature does not match the public key'),
    );
    expect(await judge({ message: 'approve', person: 'mallory' })).toEqual(
      refused('knows no person mallory'),
    );
    expect(await judge({ message: 'approve', person: 'ann' })).toEqual(refused('cannot approve it'));
    expect(await judge({ message: 'approve', person: 'dan', body: { expires: soon } })).toEqual(
      refused('expired'),
    );
    expect(await judge({ message: 'approve', person: 'dan', body: { gateReport: 'f'.repeat(64) } })).toEqual(
      refused('another gate report'),
    );
    expect(await judge({ message: 'approve', person: 'dan', body: { deployment: 'other' } })).toEqual(
      refused('another deployment'),
    );
  });
});

test('the honest permit opens, once; then only its own rollout and its own list count; closed, it is dead', async () => {
  const { run, permit } = await permitFor();
  const { rollout, list } = run;
  expect(await schedule('openRollout', { rollout, permit }, ROLLOUT)).toMatchObject({
    done: { verdict: 'pass' },
  });
  const before = await everything();
  const migrate = list.steps.find((step) => step.kind === 'migrate')!;
  const fix = list.steps.find((step) => step.kind === 'fixData')!;
  // From a workflow that is not the rollout.
  for (const step of [migrate, fix])
    expect(await schedule(step.kind, { rollout, step })).toMatchObject({ refused: 'NOT_PERMITTED' });
  expect(await schedule('downgrade', { rollout, step: migrate })).toMatchObject({ refused: 'NOT_PERMITTED' });
  expect(await schedule('closeRollout', { rollout, outcome: 'restored' })).toMatchObject({
    refused: 'NOT_PERMITTED',
  });
  // A hostile control worker that holds the rollout's name: other steps, other commands, another kind, before
  // the proof.
  const evil = {
    ...fix,
    spec: { ...fix.spec, rules: [{ name: 'x', table: 'orders', bad: 'true', fix: 'total_cents = 0' }] },
  };
  expect(await schedule('fixData', { rollout, step: evil }, ROLLOUT)).toMatchObject({
    refused: 'NOT_PERMITTED',
  });
  expect(await schedule('run', { rollout, step: migrate }, ROLLOUT)).toMatchObject({
    refused: 'NOT_PERMITTED',
  });
  expect(await schedule('downgrade', { rollout, step: fix }, ROLLOUT)).toMatchObject({
    refused: 'NOT_PERMITTED',
  });
  for (const step of [migrate, fix])
    expect(await schedule(step.kind, { rollout, step }, ROLLOUT)).toMatchObject({
      refused: 'BACKUP_MISSING',
    });
  // The names of the kept rollout in part.
  for (const part of [{ deployment: 'another' }, { list: 'f'.repeat(64) }])
    expect(
      await schedule('migrate', { rollout: { ...rollout, ...part }, step: migrate }, ROLLOUT),
    ).toMatchObject({ refused: 'NOT_PERMITTED' });
  expect(await everything()).toEqual(before);
  // Another permit for the same rollout, and another deployment beside it.
  const other = await permitFor();
  expect(await schedule('openRollout', { rollout, permit: other.permit }, ROLLOUT)).toMatchObject({
    refused: 'PERMIT_REFUSED',
  });
  expect(
    await schedule('openRollout', { rollout: other.run.rollout, permit: other.permit }, ROLLOUT),
  ).toMatchObject({ refused: 'ROLLOUT_OPEN' });
  // Presented again by its own rollout it still opens; closed it does not.
  expect(await schedule('openRollout', { rollout, permit }, ROLLOUT)).toMatchObject({
    done: { verdict: 'pass' },
  });
  expect(await schedule('closeRollout', { rollout, outcome: 'restored' }, ROLLOUT)).toMatchObject({
    done: null,
  });
  expect(await schedule('openRollout', { rollout, permit }, ROLLOUT)).toMatchObject({
    refused: 'PERMIT_REFUSED',
    message: expect.stringContaining('dead'),
  });
  expect(await schedule('migrate', { rollout, step: migrate }, ROLLOUT)).toMatchObject({
    refused: 'NOT_PERMITTED',
  });
  // A nonce that was spent there does not count for another deployment.
  const nonce = permit.approvals[0]!.body.nonce;
  const replay = await permitFor({ sign: [ALL[0], { ...ALL[1], body: { nonce } }, ALL[2]] });
  expect(
    await schedule('openRollout', { rollout: replay.run.rollout, permit: replay.permit }, ROLLOUT),
  ).toMatchObject({
    refused: 'PERMIT_REFUSED',
    message: expect.stringContaining('has been used before'),
  });
});
