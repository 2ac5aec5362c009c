// Workflows on the time-skipping server: real workflow code, stand-in hands, people with real keys.
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorkflowUpdateStage } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { WorkerContext } from '../../activities/frame/step-context.ts';
import { deploymentInput } from '../../src/client/start.ts';
import type { MessageName, SealedGateReport, Signed, StartBody } from '../../src/core/messages.ts';
import {
  CONTROL_QUEUE,
  deploymentWorkflowId,
  environmentQueue,
  observeQueue,
  rolloutWorkflowId,
} from '../../src/core/ids.ts';
import { parsePlan, renderComplaint } from '../../src/core/plan/parse.ts';
import { compileSteps } from '../../src/core/compile.ts';
import { openArtifacts } from '../../src/io/artifacts.ts';
import { anyOrder } from './any-order.ts';
import { openPermitStore } from '../../src/io/permit-store.ts';
import type { EnvironmentSettings } from '../../src/io/settings.ts';
import { createKey, hashJson, signMessage } from '../../src/io/trust.ts';
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { registerSearchAttributes } from '../../worker/search-attributes.ts';
import { workflowLimits } from '../../worker/control.ts';
import { workflowSource } from '../../worker/workflow-code.ts';
import type { DeploymentResult, RolloutResult, Timing } from '../../workflows/contract.ts';
import type { Answer } from '../../workflows/messages.ts';
import { type ShownProgress, shownProgress } from '../../src/client/shown-progress.ts';
import type { Progress } from '../../workflows/progress.ts';
import { devServer, startServer, timeSkippingServer } from './temporal-servers.ts';
import {
  controlStandIns,
  environmentStandIns,
  observeStandIns,
  type Part,
  type Script,
} from './stand-ins.ts';
import { here, readOnce } from './signing.ts';

export { devServer, timeSkippingServer };
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
const YEAR = 365 * DAY;
/** Nothing beats in the right time when time is skipped. */
const timing: Timing = { heartbeatMs: YEAR, observeHeartbeatMs: YEAR };
const FAR = '2099-01-01T00:00:00.000Z';
const PATIENCE_MS = 60_000;

/** ann (developer) requests; lea is lead, dan is dba, both operate and decide. */
export type Name = 'ann' | 'lea' | 'dan';
const roles: Readonly<Record<Name, readonly string[]>> = {
  ann: ['developer', 'lead'],
  lea: ['lead'],
  dan: ['dba'],
};

export interface Run {
  readonly name: string;
  readonly part: Part;
  readonly workflowId: string;
  rolloutId(environment: string): string;
  progress(environment?: string): Promise<ShownProgress>;
  /** Waits in real time until the progress (of a rollout, where one is named) is like this. */
  until(
    what: string,
    fits: (progress: ShownProgress) => boolean,
    environment?: string,
  ): Promise<ShownProgress>;
  gateReport(environment: string): Promise<SealedGateReport | null>;
  sign(
    message: MessageName,
    person: Name,
    environment: string,
    extra?: Readonly<Record<string, string | number>>,
  ): Promise<Signed>;
  /** Signs, sends as an update and waits for the answer. */
  send(
    message: MessageName,
    person: Name,
    environment: string,
    extra?: Readonly<Record<string, string | number>>,
  ): Promise<Answer>;
  deliver(signed: Signed): Promise<Answer>;
  /**
   * Waits until an observation stands. One that is interrupted before a worker has taken it is left behind by
   * the test server, which then
   * skips no time any more.
   */
  stands(): Promise<void>;
  /** Lets a standing observation go on. */
  release(): void;
  result(): Promise<DeploymentResult>;
  rolloutResult(environment: string): Promise<RolloutResult>;
}

interface RunOptions {
  readonly name?: string;
  /** Left out, each run has a service of its own. */
  readonly service?: string;
  readonly timing?: Timing;
}

export interface Theatre {
  readonly env: TestWorkflowEnvironment;
  /** For what is not sent by a run itself. */
  keyOf(person: Name): KeyObject;
  run(plan: string, script?: Script, options?: RunOptions): Promise<Run>;
  /** From now on verification fails like this. */
  breakVerify(deployment: string, how: ((environment: string) => unknown) | null): void;
  close(): Promise<void>;
}

/** One server, one control worker, and the workers of the two environments. */
export async function openTheatre(
  options: { readonly sleeps?: boolean; readonly real?: boolean } = {},
): Promise<Theatre> {
  Runtime.install({ logger: new DefaultLogger('ERROR'), workerHeartbeatInterval: null });
  const server = await startServer(options.real ?? false);
  const { env } = server;
  await registerSearchAttributes({ connection: env.nativeConnection, namespace: 'default' });
  const folder = await mkdtemp(join(tmpdir(), 'sg-theatre-'));
  const cast = makeCast();
  const parts = new Map<string, Part>();
  const part = (deployment: string) => parts.get(deployment)!;
  const sleep = options.sleeps ? (ms: number) => env.sleep(ms) : undefined;
  const connected = {
    connection: env.nativeConnection,
    maxHeartbeatThrottleInterval: 50,
    defaultHeartbeatThrottleInterval: 50,
  } as const;
  const artifacts = openArtifacts(join(folder, 'artifacts'));
  const workers = await Promise.all([
    Worker.create({
      ...connected,
      ...workflowSource(),
      ...workflowLimits,
      taskQueue: CONTROL_QUEUE,
      activities: controlStandIns(part, { key: cast.control.key, artifacts }) as never,
    }),
    ...['staging', 'production'].flatMap((environment) => {
      const settings = settingsOf(environment, join(folder, environment), cast);
      const world: WorkerContext = {
        settings,
        permitStore: openPermitStore(settings.permitStore),
        artifacts,
        record: anyOrder,
        ...readOnce,
        workerKey: cast[environment as 'staging'].key,
      };
      return [
        Worker.create({
          ...connected,
          taskQueue: environmentQueue(environment),
          activities: environmentStandIns(part, world) as never,
        }),
        Worker.create({
          ...connected,
          taskQueue: observeQueue(environment),
          activities: observeStandIns(part, world, sleep) as never,
        }),
      ];
    }),
  ]);
  const running = Promise.all(workers.map((worker) => worker.run()));
  return {
    env,
    keyOf: (person) => cast[person].key,
    run: (plan, script = {}, options = {}) => startRun(env, cast, parts, plan, script, options),
    breakVerify: (deployment, how) => (part(deployment).breakVerify = how),
    close: async () => {
      for (const one of parts.values()) Object.assign(one, { deaf: false, released: one.released + 1 });
      for (const worker of workers) worker.shutdown();
      await running;
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Someone {
  readonly key: KeyObject;
  readonly publicText: string;
}
type Cast = Readonly<Record<Name | 'control' | 'staging' | 'production', Someone>>;

function makeCast(): Cast {
  const someone = (): Someone => {
    const { privatePem, publicText } = createKey();
    return { key: createPrivateKey(privatePem), publicText };
  };
  return {
    ann: someone(),
    lea: someone(),
    dan: someone(),
    control: someone(),
    staging: someone(),
    production: someone(),
  };
}

function settingsOf(environment: string, folder: string, cast: Cast): EnvironmentSettings {
  const any = ['lead', 'dba'];
  return {
    environment,
    // Each run has a service of its own.
    services: new Proxy({}, { get: () => ({ root: '/srv' }) }),
    artifacts: join(folder, 'artifacts'),
    permitStore: join(folder, 'permit-store'),
    control: cast.control.publicText,
    workerKey: '',
    environments: { staging: cast.staging.publicText },
    buildEnv: [],
    notifiers: [],
    people: (['ann', 'lea', 'dan'] as const).map((name) => ({
      name,
      key: cast[name].publicText,
      roles: roles[name],
    })),
    guardrails: {
      start: { any: ['developer'] },
      approve: { each: [] },
      rollback: { any },
      decide: { any },
      operate: { any },
      pace: 'refused',
      programs: ['node', 'python', 'python3', '.venv/bin/pip', 'pytest'],
      files: ['/'],
    },
  };
}

function signStart(cast: Cast, planText: string, deployment: string): Signed<StartBody> {
  const parsed = parsePlan(planText, 'soakgate.yaml');
  if (!('plan' in parsed)) throw new Error(parsed.complaints.map(renderComplaint).join('\n'));
  const { plan } = parsed;
  const commit = 'c0ffee'.repeat(7).slice(0, 40);
  const lists = Object.fromEntries(
    plan.environments.map(({ name }) => [
      name,
      hashJson(compileSteps({ plan, environment: name, commit, files: {}, pace: null })),
    ]),
  );
  const body = {
    deployment,
    namespace: 'default',
    nonce: `start-${deployment}`,
    expires: FAR,
    planText,
    planFile: 'soakgate.yaml',
    plan: hashJson(plan),
  };
  return signMessage(cast.ann.key, 'start', 'ann', { ...body, commit, files: {}, pace: null, lists });
}

async function startRun(
  env: TestWorkflowEnvironment,
  cast: Cast,
  parts: Map<string, Part>,
  plan: string,
  script: Script,
  { name = `run-${randomUUID().slice(0, 8)}`, service = name, timing: more = {} }: RunOptions,
): Promise<Run> {
  const start = signStart(cast, plan.replace(/^service: .*$/mu, `service: ${service}`), name);
  const input = deploymentInput(start);
  const part: Part = {
    script,
    calls: [],
    counts: new Map(),
    clocks: new Map(),
    lists: new Map(input.runs.map(({ list }) => [list.environment.name, list])),
    released: 0,
    standing: 0,
    stated: [],
    deaf: false,
    breakVerify: null,
  };
  parts.set(name, part);
  const workflowId = deploymentWorkflowId(name);
  const handle = await env.client.workflow.start('deployment', {
    workflowId,
    taskQueue: CONTROL_QUEUE,
    args: [{ ...input, timing: { ...timing, ...more } }],
  });
  const rolloutId = (environment: string) => rolloutWorkflowId(service, environment);
  const get = (environment?: string) =>
    environment ? env.client.workflow.getHandle(rolloutId(environment)) : handle;
  const progress = (environment?: string) => get(environment).query<Progress>('progress').then(shownProgress);
  const gateReport = (environment: string) =>
    handle.query('gateReport', environment) as Promise<SealedGateReport | null>;
  const sign: Run['sign'] = async (message, person, environment, extra = {}) => {
    const { body } = start;
    const about =
      message === 'approve'
        ? {
            gateReport: (await gateReport(environment))?.hash ?? '',
            list: body.lists[environment]!,
            commit: body.commit,
          }
        : {};
    const bound = { deployment: name, environment, nonce: randomUUID(), expires: FAR, plan: body.plan };
    return signMessage(cast[person].key, message, person, {
      ...here(),
      ...bound,
      ...about,
      ...extra,
    }) as Signed;
  };
  const deliver: Run['deliver'] = async (signed) => {
    const update = await handle.startUpdate<Answer, [Signed]>(signed.message, {
      args: [signed],
      updateId: signed.body.nonce,
      waitForStage: WorkflowUpdateStage.ACCEPTED,
    });
    return update.result();
  };
  return {
    name,
    part,
    workflowId,
    rolloutId,
    progress,
    gateReport,
    sign,
    deliver,
    send: async (...message) => deliver(await sign(...message)),
    until: async (what, fits, environment) => {
      const deadline = Date.now() + PATIENCE_MS;
      for (;;) {
        const now = await progress(environment).catch(() => null);
        if (now && fits(now)) return now;
        if (Date.now() > deadline)
          throw new Error(
            `${what}: not reached; it is ${JSON.stringify(now, null, 1)}; calls: ${part.calls.join(', ')}`,
          );
        await new Promise((resolve) => setTimeout(resolve, 15));
      }
    },
    stands: async () => {
      for (const deadline = Date.now() + PATIENCE_MS; part.standing === 0;) {
        if (Date.now() > deadline) throw new Error(`no observation stands; calls: ${part.calls.join(', ')}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    release: () => (part.released += 1),
    result: () => handle.result() as Promise<DeploymentResult>,
    rolloutResult: (environment) => get(environment).result() as Promise<RolloutResult>,
  };
}
