// One activity at a time against a real PostgreSQL, without a Temporal server: a world of its own, a kept
// list, an attempt each.
import { createPrivateKey, randomUUID } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { environmentActivities } from '../../activities/index.ts';
import { observeActivities } from '../../activities/observe/observe.ts';
import type { WorkerContext } from '../../activities/frame/step-context.ts';
import type { StepInput } from '../../src/core/activities.ts';
import type { Person } from '../../src/core/quorum.ts';
import type { Permit } from '../../src/core/messages.ts';
import { type RolloutRef, rolloutWorkflowId } from '../../src/core/ids.ts';
import { parsePlan, renderComplaint } from '../../src/core/plan/parse.ts';
import type { Pace } from '../../src/core/pace.ts';
import type { Receipt, UndoReceipt } from '../../src/core/receipts.ts';
import { compileSteps } from '../../src/core/compile.ts';
import type { Step, StepList } from '../../src/core/step-list.ts';
import { openArtifacts } from '../../src/io/artifacts.ts';
import { sha256 } from '../../src/io/files.ts';
import { openPermitStore } from '../../src/io/permit-store.ts';
import { freePort } from '../../src/io/free-port.ts';
import { type PrivatePostgres, startPostgres } from '../../src/io/private-postgres.ts';
import { createKey, hashJson } from '../../src/io/trust.ts';
import { anyOrder } from './any-order.ts';
import { query } from './stage.ts';
import type { ServiceSettings } from '../../src/io/settings.ts';
import { ranNow } from './programs.ts';
import { readOnce } from './signing.ts';

const ORDERS = join(import.meta.dirname, '../../examples/orders');
const MODULES = join(import.meta.dirname, '../../node_modules');
const TEMPLATE = 'orders_template';

export interface Bench {
  readonly postgres: PrivatePostgres;
  readonly folder: string;
  /** The app's repository; `fault` is a name of examples/orders/faults. */
  repository(fault?: string): Promise<string>;
  stop(): Promise<void>;
}

/**
 * A server of its own for one test file, with a template that has the first release's schema and a few dirty
 * rows; `settings` are of the server, each `name=value`.
 */
export async function raiseBench(settings: readonly string[] = []): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'sg-hands-'));
  const postgres = await startPostgres(settings);
  process.env['SOAKGATE_PG_BIN'] = postgres.bin;
  process.env['ORDERS_MODULES'] = MODULES;
  await postgres.createDatabase(TEMPLATE);
  const schema = await readFile(join(ORDERS, 'releases/v1/migrations/0001_schema.sql'), 'utf8');
  await query(
    postgres.url(TEMPLATE),
    `${schema}; insert into schema_migrations (version) values ('0001_schema');
     insert into customers (name, email) select 'c' || n, 'c' || n || '@example.org' from generate_series(1, 20) n;
     insert into orders (customer_id, status, total_cents) select n % 20 + 1, 'paid', case when n % 10 = 0 then -100 else 100 end from generate_series(1, 50) n;
     insert into order_items (order_id, sku, qty, price_cents) select n, 'sku', case when n % 25 = 0 then 0 else 1 end, 100 from generate_series(1, 50) n;`,
  );
  const repositories = new Map<string, string>();
  return {
    postgres,
    folder,
    repository: async (fault = '') => {
      const made = repositories.get(fault);
      if (made) return made;
      const target = await mkdtemp(join(folder, 'repository-'));
      ranNow(process.execPath, [
        join(ORDERS, 'make-repository.mjs'),
        target,
        ...(fault ? ['--fault', fault] : []),
      ]);
      repositories.set(fault, target);
      return target;
    },
    stop: async () => {
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface PlanParts {
  readonly steps: string;
  readonly kind?: string;
  readonly pending?: string;
  readonly port?: number;
  readonly environment?: string;
  readonly monitors?: string;
  readonly soak?: string;
  /** Further fallbacks, each `, name: { … }`. */
  readonly fallbacks?: string;
  /** Left out: the app as a plain process. */
  readonly services?: string;
}

export const planOf = ({
  steps,
  pending,
  port,
  environment,
  monitors,
  soak,
  kind,
  fallbacks,
  services,
}: PlanParts): string => `
soakgate: 1
service: orders
summary: For one hand
kind: ${kind ?? 'constraints'}
release: { ref: v2 }
commands: { env: { DATABASE_URL: { from: database }, ORDERS_MODULES: { env: ORDERS_MODULES } } }
migrations: { sql: { folder: migrations, ledger: schema_migrations, journal: audit.change_ledger, pending: [${pending ?? '0002_order_guards, 0003_order_totals'}] } }
environments:
  here:
    url: http://127.0.0.1:${port ?? 1}
    services: ${services ?? '[{ name: web, process: { command: [node, server.mjs], pid-file: web.pid, ready: /health } }]'}
    ${environment ?? ''}
    soak: ${soak ?? '{ for: 10m, every: 1m, gap: at most 5m }'}
steps:
${steps}
monitors: ${monitors ?? '{ site: { read: { http: { get: /health, status: 200 } }, metrics: { failures: { objective: exactly 0, alert: above 2 in a row } } } }'}
fallbacks: { downgrade: { to: recorded }${fallbacks ?? ''} }
matrix:
  - { when: rest, do: stop, severity: high }
`;

export const BACKUP = '  - { step: backup, backup: { tool: pg_dump, format: custom, keep: 30d } }\n';
export const MIGRATE =
  '  - { step: migrate, migrate: { lock-timeout: 50ms, give-up-after: 2s, statement-timeout: 1m } }\n';
export const DATA = `  - step: data
    data:
      rules:
        - { rule: negative-total, table: orders, bad: total_cents < 0, fix: total_cents = -total_cents }
        - { rule: zero-qty, table: order_items, bad: qty = 0, fix: qty = 1 }
`;
export const PREVIEW = '  - { step: preview, preview: { lint: error, rehearse: up-down-up } }\n';

export interface Hands {
  readonly url: string;
  readonly world: WorkerContext;
  readonly rollout: RolloutRef;
  readonly list: StepList;
  readonly root: string;
  readonly port: number;
  readonly checkout: string;
  /** One attempt of a step, by its name; `undo` runs its undo. */
  run(step: string, options?: Attempt): Promise<Receipt>;
  undo(step: string, options?: Attempt): Promise<UndoReceipt>;
  /** Any activity of the environment's queue. */
  call<T>(activity: string, input: unknown, options?: Attempt): Promise<T>;
  step(name: string): Step;
  input(name: string): StepInput;
  sql<Row extends object>(text: string): Promise<Row[]>;
  log(step: string): Promise<string>;
}

export interface Attempt {
  readonly attempt?: number;
  /** The workflow that asks; left out, the rollout's own. */
  readonly workflowId?: string;
  /** Called with the environment, so that it can be cancelled. */
  readonly during?: (environment: MockActivityEnvironment) => void;
}

export interface HandsSpec extends PlanParts {
  readonly fault?: string;
  readonly pace?: Pace;
  /** Another database than a fresh clone of the template, or another template. */
  readonly url?: string;
  readonly template?: string;
  readonly service?: string;
  /** As a role of its own, made by the test. */
  readonly asRole?: (url: string) => string;
  readonly edit?: (checkout: string) => Promise<void>;
  /**
   * Another app than the orders: its plan, with one environment `here`, its repository and the ref of its
   * release.
   */
  readonly app?: {
    readonly plan: string;
    readonly repository: string;
    readonly ref: string;
    readonly env?: Readonly<Record<string, string>>;
  };
  /** `build-env` of the environment's file. */
  readonly buildEnv?: readonly string[];
  /** `services.<name>.env` of the environment's file, beside what the app needs. */
  readonly serviceEnv?: ServiceSettings['env'];
  /** What the guardrails allow a plan to run. */
  readonly programs?: readonly string[];
  /** Whose signatures count. */
  readonly people?: readonly Person[];
}

/** A rollout that has been permitted, its release checked out. */
export async function permit(bench: Bench, spec: HandsSpec): Promise<Hands> {
  const name = `t${randomUUID().slice(0, 8)}`;
  const url = spec.url ?? (await cloned(bench, name, spec.template));
  const port = spec.port ?? (await freePort());
  const folder = join(bench.folder, name);
  const root = join(folder, 'root');
  await mkdir(join(root, 'releases'), { recursive: true });
  const repository = spec.app?.repository ?? (await bench.repository(spec.fault));
  const commit = ranNow('git', ['-C', repository, 'rev-parse', spec.app?.ref ?? 'v2']).trim();
  const planText = spec.app?.plan ?? planOf({ ...spec, port });
  const parsed = parsePlan(planText, 'plan.yaml');
  if (!('plan' in parsed)) throw new Error(parsed.complaints.map(renderComplaint).join('\n'));
  const list = compileSteps({
    plan: parsed.plan,
    environment: 'here',
    commit,
    files: {},
    pace: spec.pace ?? null,
  });
  const rollout: RolloutRef = {
    deployment: name,
    service: list.service,
    environment: 'here',
    list: hashJson(list),
    hash: sha256(`${name}/here`).slice(0, 10),
  };
  const variable = `SG_URL_${name}`;
  process.env[variable] = spec.asRole ? spec.asRole(url) : url;
  const settings = {
    environment: 'here',
    services: {
      [list.service]: {
        root,
        repository,
        database: { env: variable },
        env: { PORT: String(port), ORDERS_MODULES: MODULES, ...spec.app?.env, ...spec.serviceEnv },
        url: `http://127.0.0.1:${port}`,
      },
    },
    artifacts: join(folder, 'artifacts'),
    permitStore: join(folder, 'permit-store'),
    control: 'ed25519:',
    workerKey: '',
    environments: {},
    people: spec.people ?? [],
    notifiers: [],
    buildEnv: spec.buildEnv ?? [],
    guardrails: {
      start: { any: [] },
      approve: { each: [] },
      rollback: { any: [] },
      decide: { any: [] },
      operate: { any: [] },
      pace: 'allowed' as const,
      programs: spec.programs ?? ['.venv/bin/python', '.venv/bin/pytest', 'psql', 'sh'],
    },
  };
  const world: WorkerContext = {
    settings,
    permitStore: openPermitStore(settings.permitStore),
    artifacts: openArtifacts(settings.artifacts),
    record: anyOrder,
    ...readOnce,
    workerKey: createPrivateKey(createKey().privatePem),
  };
  await world.permitStore.keepRollout({ rollout, permit: {} as Permit, list });
  const hands = handsOf(world, rollout, list, { url, root, port });
  await hands.run('release');
  if (spec.edit) await spec.edit(hands.checkout);
  return hands;
}

async function cloned(bench: Bench, name: string, template = TEMPLATE): Promise<string> {
  await bench.postgres.createDatabase(name, template);
  return bench.postgres.url(name);
}

function handsOf(
  world: WorkerContext,
  rollout: RolloutRef,
  list: StepList,
  place: { url: string; root: string; port: number },
): Hands {
  const activities = { ...environmentActivities(world), ...observeActivities(world) } as unknown as Record<
    string,
    (input: unknown) => Promise<unknown>
  >;
  const step = (wanted: string) => {
    const found = list.steps.find((candidate) => candidate.name === wanted);
    if (!found) throw new Error(`no step ${wanted} among ${list.steps.map((each) => each.name).join(', ')}`);
    return found;
  };
  const call = async <T>(
    activity: string,
    input: unknown,
    { attempt = 1, workflowId = rolloutWorkflowId(list.service, 'here'), during }: Attempt = {},
  ): Promise<T> => {
    const environment = new MockActivityEnvironment(
      {
        attempt,
        activityType: activity,
        activityId: randomUUID(),
        workflowExecution: { workflowId, runId: randomUUID() },
      },
      { logger: new DefaultLogger('ERROR') },
    );
    const running = environment.run(activities[activity]!, input);
    during?.(environment);
    return (await running) as T;
  };
  const input = (wanted: string): StepInput => ({ rollout, step: step(wanted) });
  return {
    ...place,
    world,
    rollout,
    list,
    checkout: join(place.root, 'releases', list.commit),
    step,
    input,
    call,
    run: (wanted, options) => call<Receipt>(step(wanted).kind, input(wanted), options),
    undo: (wanted, options) => call<UndoReceipt>(step(wanted).undo!.undo, input(wanted), options),
    sql: (text) => query(place.url, text),
    log: async (wanted) => {
      const { index, name } = step(wanted);
      const file = `${String(index).padStart(2, '0')}-${name.replace(/[^A-Za-z0-9]+/gu, '-')}.log`;
      return world.artifacts.read(`evidence/${rollout.deployment}/logs/here/${file}`).catch(() => '');
    },
  };
}

/** What a failed activity threw: its code, message and details. */
export async function failureOf(
  running: Promise<unknown>,
): Promise<{ code: string; message: string; details: string }> {
  try {
    const value = await running;
    return { code: 'none', message: JSON.stringify(value), details: '' };
  } catch (error) {
    if (!(error instanceof ApplicationFailure))
      return { code: (error as Error).name, message: String(error), details: '' };
    return { code: error.type ?? '', message: error.message, details: JSON.stringify(error.details) };
  }
}

/** A folder of programs that stand before PostgreSQL's own: each runs the true one and does more. */
export async function withPrograms<T>(
  bench: Bench,
  programs: Readonly<Record<string, string>>,
  act: () => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(bench.folder, 'bin-'));
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(folder, name), `#!/bin/bash\nTRUE=${bench.postgres.bin}/${name}\n${script}\n`);
    await chmod(join(folder, name), 0o755);
  }
  const before = process.env['PATH'];
  process.env['SOAKGATE_PG_BIN'] = folder;
  process.env['PATH'] = `${bench.postgres.bin}:${before}`;
  try {
    return await act();
  } finally {
    process.env['SOAKGATE_PG_BIN'] = bench.postgres.bin;
    process.env['PATH'] = before;
  }
}

export { query };
