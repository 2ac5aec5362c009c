// What a step costs: 20 no-op steps of a real rollout ÷ 20 activities of bare Temporal, in one run, A B A B.
// One step is the difference between a run of 20 and a run of one, in the same round: the first one also pays
// for what a run shows as it begins.
//   node bench/step-overhead.ts            goal: ratio per step ≤ 1.10
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPrivateKey, randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { stepActivity } from '../activities/frame/run-step.ts';
import type { WorkerContext } from '../activities/frame/step-context.ts';
import { rolloutWorkflowId } from '../src/core/ids.ts';
import type { Receipt } from '../src/core/receipts.ts';
import type { Step, StepList } from '../src/core/step-list.ts';
import { openArtifacts } from '../src/io/artifacts.ts';
import { startDevServer } from '../src/io/dev-server.ts';
import { ownRecord } from '../activities/frame/own-record.ts';
import { createKey } from '../src/io/trust.ts';
import { openPermitStore } from '../src/io/permit-store.ts';
import { workflowSource } from '../worker/workflow-code.ts';
import { registerSearchAttributes } from '../worker/search-attributes.ts';

const STEPS = 20;
// Fifteen scattered by a tenth from run to run.
const ROUNDS = 40;
const GOAL = 1.1;

Runtime.install({ logger: new DefaultLogger('WARN') });
const folder = await mkdtemp(join(tmpdir(), 'sg-bench-'));
const server = await startDevServer(folder, { headless: true });
process.env['BENCH_DATABASE'] = 'postgres://nobody@127.0.0.1:1/none';
const connection = await NativeConnection.connect({ address: server.address });
const client = new Client({ connection: await Connection.connect({ address: server.address }) });
await registerSearchAttributes({ connection, namespace: 'default' });

const permitStore = openPermitStore(join(folder, 'permit-store'));
const world: WorkerContext = {
  permitStore,
  record: ownRecord(permitStore),
  workerKey: createPrivateKey(createKey().privatePem),
  artifacts: openArtifacts(join(folder, 'artifacts')),
  settings: {
    environment: 'bench',
    services: { bench: { root: folder, repository: folder, database: { env: 'BENCH_DATABASE' }, env: {} } },
    artifacts: folder,
    permitStore: folder,
    control: '',
    workerKey: '',
    environments: {},
    people: [],
    buildEnv: [],
    guardrails: {
      start: { any: [] },
      approve: { each: [] },
      rollback: { any: [] },
      decide: { any: [] },
      operate: { any: [] },
      pace: 'allowed',
      programs: [],
    },
  },
};
const noopStep = stepActivity(world, async () => ({ verdict: 'pass', summary: 'nothing' }));
const receipt: Receipt = {
  step: 'permit',
  kind: 'openRollout',
  verdict: 'pass',
  summary: '',
  startedAt: '',
  tookMs: 0,
};
const activities = {
  check: noopStep,
  openRollout: async () => receipt,
  closeRollout: async () => null,
  noop: async (input: unknown) => input,
  closeEvidence: async () => ({ uri: '', manifest: '', files: 0 }),
};
const workers = await Promise.all([
  Worker.create({ connection, taskQueue: 'soakgate', ...workflowSource(), activities }),
  Worker.create({ connection, taskQueue: 'soakgate.bench', activities }),
  Worker.create({
    connection,
    taskQueue: 'bare',
    workflowsPath: fileURLToPath(new URL('bare-workflow.ts', import.meta.url)),
    activities,
  }),
]);
const running = workers.map((worker) => worker.run());

function listOf(count: number): StepList {
  const steps = Array.from({ length: count }, (_, index): Step => ({
    index,
    name: `step ${index}`,
    kind: 'check',
    spec: {},
    changes: [],
  }));
  return {
    soakgate: 1,
    service: 'bench',
    summary: '',
    kind: 'code',
    environment: { name: 'bench', services: [] },
    commit: '0'.repeat(40),
    files: {},
    pace: null,
    observedMs: 0,
    dayMs: 1,
    release: { ref: 'x', install: [] },
    commands: { path: [], env: {} },
    migrations: null,
    steps,
    monitors: {},
    gate: null,
    fallbacks: {},
    matrix: [],
    last: true,
  };
}

async function soakgate(steps: number): Promise<number> {
  const rollout = {
    deployment: randomUUID(),
    service: 'bench',
    environment: 'bench',
    list: '',
    hash: randomUUID().slice(0, 10),
  };
  const list = listOf(steps);
  const permit = {
    start: { message: 'start', person: 'bench', signature: '', body: {} },
    environment: 'bench',
    gateReport: null,
    approvals: [],
    attestations: [],
  };
  await world.permitStore.keepRollout({ rollout, list, permit: permit as never });
  const started = performance.now();
  await client.workflow.execute('rollout', {
    // An environment's activities answer to no other workflow (rule 8).
    workflowId: rolloutWorkflowId(rollout.service, rollout.environment),
    taskQueue: 'soakgate',
    args: [{ run: { list, rollout }, permit, asksBeforeChange: false }],
  });
  return performance.now() - started;
}

async function bare(steps: number): Promise<number> {
  const started = performance.now();
  const payload = {
    rollout: {
      deployment: randomUUID(),
      service: 'bench',
      environment: 'bench',
      list: '',
      hash: '0123456789',
    },
    step: listOf(1).steps[0],
  };
  await client.workflow.execute('bare', {
    workflowId: randomUUID(),
    taskQueue: 'bare',
    args: [{ steps, payload }],
  });
  return performance.now() - started;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
for (let warm = 0; warm < 3; warm += 1) await Promise.all([soakgate(2), bare(2)]);
const times = {
  soakgate: [] as number[],
  soakgateOne: [] as number[],
  bare: [] as number[],
  bareOne: [] as number[],
};
for (let round = 0; round < ROUNDS; round += 1) {
  times.soakgate.push(await soakgate(STEPS));
  times.bare.push(await bare(STEPS));
  times.soakgateOne.push(await soakgate(1));
  times.bareOne.push(await bare(1));
}
const marginal = (whole: readonly number[], one: readonly number[]) =>
  median(whole.map((time, round) => (time - one[round]!) / (STEPS - 1)));
const step = {
  soakgate: marginal(times.soakgate, times.soakgateOne),
  bare: marginal(times.bare, times.bareOne),
};
const ratio = step.soakgate / step.bare;
console.log('| what | Soakgate | bare Temporal | ratio |');
console.log('|---|---|---|---|');
console.log(
  `| one step, ms (median of ${ROUNDS}) | ${step.soakgate.toFixed(2)} | ${step.bare.toFixed(2)} | ` +
    `${ratio.toFixed(3)} |`,
);
console.log(
  `| whole run of ${STEPS} steps, ms | ${median(times.soakgate).toFixed(0)} | ` +
    `${median(times.bare).toFixed(0)} | ${(median(times.soakgate) / median(times.bare)).toFixed(3)} |`,
);
console.log(
  `| a run of one step, ms | ${median(times.soakgateOne).toFixed(0)} | ` +
    `${median(times.bareOne).toFixed(0)} | |`,
);
console.log(`ratio per step ${ratio.toFixed(3)} (goal ≤ ${GOAL})`);
for (const worker of workers) worker.shutdown();
await Promise.all(running);
await connection.close();
await client.connection.close();
await server.stop();
await rm(folder, { recursive: true, force: true });
process.exit(ratio <= GOAL ? 0 : 1);
