// The fault matrix of the thread: at step boundaries and in mid-step, workers killed, workflows terminated,
// or both;
// with `setpriv` and, so that an orphan lives, without. SOAKGATE_MATRIX=full runs every cell, otherwise one
// of each kind.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recover } from '../../src/client/recover.ts';
import { deploymentWorkflowId, rolloutWorkflowId } from '../../src/core/ids.ts';
import { verifyEvidence } from '../../src/io/evidence.ts';
import { readPrivateKey } from '../../src/io/trust.ts';
import type { Progress } from '../../workflows/progress.ts';
import {
  type Cast,
  commitRelease,
  ordersDatabase,
  query,
  raiseEnvironment,
  raiseStage,
  type Stage,
  start,
} from '../support/stage.ts';
import { ledger, sessionsAtWork, slowDown, threadPlan, traces } from '../support/thread.ts';

type Fault = 'workers killed' | 'deployment terminated' | 'rollout terminated' | 'both terminated';
interface Cell {
  readonly step: string;
  readonly when: 'in the middle of' | 'right after';
  readonly fault: Fault;
  readonly setpriv: boolean;
}

const faults: readonly Fault[] = [
  'workers killed',
  'deployment terminated',
  'rollout terminated',
  'both terminated',
];
const full: readonly Cell[] = ['backup', 'look', 'migrate', 'refused', 'switch', 'restart'].flatMap((step) =>
  (['in the middle of', 'right after'] as const).flatMap((when) =>
    faults.flatMap((fault) => [true, false].map((setpriv) => ({ step, when, fault, setpriv }))),
  ),
);
const short: readonly Cell[] = [
  { step: 'migrate', when: 'in the middle of', fault: 'workers killed', setpriv: false },
  { step: 'look', when: 'in the middle of', fault: 'workers killed', setpriv: true },
  { step: 'backup', when: 'right after', fault: 'workers killed', setpriv: true },
  { step: 'migrate', when: 'in the middle of', fault: 'deployment terminated', setpriv: true },
  { step: 'migrate', when: 'in the middle of', fault: 'rollout terminated', setpriv: false },
  { step: 'restart', when: 'right after', fault: 'both terminated', setpriv: true },
];

let stage: Stage;
let runs = 0;
const UP_ONCE = { 'up 0002_order_guards': 1, 'up 0003_order_totals': 1 };
const EVERYTHING = [
  '0002_order_guards',
  '0003_order_totals',
  'column',
  'order_items_qty_positive',
  'orders_discount_within_total',
  'orders_status_known',
  'orders_total_non_negative',
];

beforeAll(async () => {
  stage = await raiseStage();
  await commitRelease(stage, 'slow', slowDown);
}, 120_000);
afterAll(() => stage?.stop());

describe.each(process.env['SOAKGATE_MATRIX'] === 'full' ? full : short)(
  '$fault $when $step, setpriv $setpriv',
  (cell) => {
    test('every change is there exactly once, or not at all', { timeout: 360_000 }, async () => {
      runs += 1;
      const environment = `place${runs}`;
      const database = await ordersDatabase(stage, `thread${runs}`);
      await query(
        database,
        `insert into customers (name, email)
          values ('a', 'a@example.org'); insert into orders (customer_id, status, total_cents)
          values (1, 'pending', 500)`,
      );
      const cast = await raiseEnvironment(stage, database, {
        environment,
        env: cell.setpriv ? {} : { SOAKGATE_SETPRIV: 'never' },
      });
      try {
        const started = await start(stage, threadPlan(environment), {
          pace: { nominalMs: 600_000, realMs: 2_000 },
          timing: { heartbeatMs: 3_000, observeHeartbeatMs: 5_000 },
        });
        await untilThere(environment, cell);
        await strike(cast, started.deployment, environment, cell.fault);
        await settle(cast, started.deployment, environment, cell, database);
      } finally {
        await cast.stop();
      }
    });
  },
);

async function untilThere(environment: string, cell: Cell): Promise<void> {
  const wanted = cell.when === 'right after' ? ['pass'] : ['running'];
  const handle = stage.connected.client.workflow.getHandle(rolloutWorkflowId('orders', environment));
  for (;;) {
    const progress = (await handle.query('progress').catch(() => undefined)) as Progress | undefined;
    const line = progress?.lines.find((candidate) => candidate.name === cell.step);
    if (line && wanted.includes(line.state)) break;
    if (line && ['fail', 'error'].includes(line.state)) throw new Error(`${cell.step}: ${line.summary}`);
    if (line?.state === 'pass') break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  // Into the sleep of the psql under way, where there is one.
  if (cell.when === 'in the middle of' && ['look', 'migrate'].includes(cell.step))
    await new Promise((resolve) => setTimeout(resolve, 700));
}

async function strike(cast: Cast, deployment: string, environment: string, fault: Fault): Promise<void> {
  const { workflow } = stage.connected.client;
  if (fault === 'workers killed') {
    await Promise.all([cast.worker.kill(), cast.control.kill()]);
    await Promise.all([cast.worker.start(), cast.control.start()]);
  }
  if (fault === 'both terminated' || fault === 'rollout terminated')
    await workflow.getHandle(rolloutWorkflowId('orders', environment)).terminate('test');
  if (fault === 'both terminated' || fault === 'deployment terminated')
    await workflow.getHandle(deploymentWorkflowId(deployment)).terminate('test');
}

async function settle(
  cast: Cast,
  deployment: string,
  environment: string,
  cell: Cell,
  database: string,
): Promise<void> {
  const rollout = stage.connected.client.workflow.getHandle(rolloutWorkflowId('orders', environment));
  if (cell.fault === 'workers killed') {
    const result = (await stage.connected.client.workflow
      .getHandle(deploymentWorkflowId(deployment))
      .result()) as { outcome: string };
    expect(result.outcome).toBe('completed');
    expect(await ledger(database)).toEqual(UP_ONCE);
    expect(await traces(database)).toEqual(EVERYTHING);
    return;
  }
  if (cell.fault === 'deployment terminated')
    expect(await rollout.result()).toMatchObject({ differences: [] });
  else {
    await untilQuiet(database);
    const before = [await ledger(database), await traces(database)];
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect([await ledger(database), await traces(database)], 'nothing moves until it is recovered').toEqual(
      before,
    );
    const recovered = await recover(
      stage.connected,
      deployment,
      'lea',
      await readPrivateKey(stage.people.lea.keyFile),
      () => undefined,
    );
    expect(recovered.map(({ result }) => result.differences)).toEqual([[]]);
  }
  if (cell.fault !== 'rollout terminated') await readEvidence(deployment, environment);
  const counts = await ledger(database);
  expect(await traces(database)).toEqual([]);
  for (const name of ['0002_order_guards', '0003_order_totals']) {
    expect(counts[`up ${name}`] ?? 0, 'as often down as up').toBe(counts[`down ${name}`] ?? 0);
    expect(counts[`up ${name}`] ?? 0).toBeLessThanOrEqual(1);
  }
  expect(await sessionsAtWork(database)).toBe(0);
}

/**
 * The deployment is gone: the rollout has closed the evidence itself, whole and signed, and says what became
 * of it.
 */
async function readEvidence(deployment: string, environment: string): Promise<void> {
  const folder = join(stage.artifacts, 'evidence', deployment);
  expect(await verifyEvidence(folder, stage.control.publicText)).toMatchObject({
    state: 'valid',
    problems: [],
  });
  const summary = await readFile(join(folder, 'SUMMARY.md'), 'utf8');
  expect(summary).toMatch(new RegExp(`\\| ${environment} \\| (restored|failed) \\|`, 'u'));
  const names = await readdir(folder, { recursive: true });
  expect(names).toEqual(
    expect.arrayContaining([
      'manifest.json',
      'delta.json',
      `logs/${environment}/receipts.jsonl`,
      'approvals/start.json',
    ]),
  );
  expect(names.filter((name) => name.startsWith('history/') && name.endsWith('.json'))).not.toEqual([]);
}

async function untilQuiet(database: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  while ((await sessionsAtWork(database)) > 0 && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 200));
}
