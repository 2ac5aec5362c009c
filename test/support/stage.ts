// A whole stage for one test: PostgreSQL, a Temporal dev server, the orders app's repository, workers as
// processes.
import { randomUUID } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { makePlace, makeSomeone, type Place, type Someone } from '../../src/cli/demo/place.ts';
import { startWorker, type WorkerProcess } from '../../src/cli/demo/worker-process.ts';
import type { Connected } from '../../src/client/connection.ts';
import { deploymentInput, signStart, type Started, startDeployment } from '../../src/client/start.ts';
import type { Timing } from '../../workflows/contract.ts';
import type { Pace } from '../../src/core/pace.ts';
import { parsePlan, renderComplaint } from '../../src/core/plan/parse.ts';
import { type DevServer, startDevServer } from '../../src/io/dev-server.ts';
import { readPrivateKey } from '../../src/io/trust.ts';
import { freePort } from '../../src/io/free-port.ts';
import { type PrivatePostgres, startPostgres } from '../../src/io/private-postgres.ts';
import { ranNow } from './programs.ts';

const ORDERS = join(import.meta.dirname, '../../examples/orders');
const MODULES = join(import.meta.dirname, '../../node_modules');

export interface Stage {
  readonly folder: string;
  readonly postgres: PrivatePostgres;
  readonly server: DevServer;
  readonly connected: Connected;
  readonly repository: string;
  readonly artifacts: string;
  readonly people: Readonly<Record<'ann' | 'lea' | 'dan', Someone>>;
  readonly control: Someone;
  /** The key of an environment's worker, made when it is first asked for. */
  worker(environment: string): Promise<Someone>;
  stop(): Promise<void>;
}

/** ann requests; lea is lead, dan is dba. */
export async function raiseStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'sg-stage-'));
  const [postgres, server] = await Promise.all([startPostgres(), startDevServer(folder, { headless: true })]);
  const repository = join(folder, 'repository');
  await mkdir(repository);
  ranNow(process.execPath, [join(ORDERS, 'make-repository.mjs'), repository]);
  const keys = join(folder, 'keys');
  const [ann, lea, dan, control] = await Promise.all([
    makeSomeone(keys, 'ann', ['developer']),
    makeSomeone(keys, 'lea', ['lead']),
    makeSomeone(keys, 'dan', ['dba']),
    makeSomeone(keys, 'control', []),
  ]);
  const connection = await Connection.connect({ address: server.address });
  const connected: Connected = {
    client: new Client({ connection }),
    namespace: 'default',
    close: () => connection.close(),
  };
  const workers = new Map<string, Promise<Someone>>();
  const worker = (environment: string): Promise<Someone> => {
    const made = workers.get(environment) ?? makeSomeone(join(folder, 'workers'), environment, []);
    workers.set(environment, made);
    return made;
  };
  return {
    folder,
    worker,
    postgres,
    server,
    connected,
    repository,
    control,
    artifacts: join(folder, 'artifacts'),
    people: { ann: ann!, lea: lea!, dan: dan! },
    stop: async () => {
      await connection.close();
      await server.stop();
      await postgres.stop();
      if (!process.env['SOAKGATE_KEEP']) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Commits changed files into the stage's repository under a tag. */
export async function commitRelease(
  stage: Stage,
  tag: string,
  change: (checkout: string) => Promise<void>,
): Promise<void> {
  const git = (...args: string[]) =>
    ranNow('git', ['-C', stage.repository, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args]);
  git('checkout', '-q', 'v2');
  await change(stage.repository);
  git('add', '-A');
  git('commit', '-q', '-m', tag, '--allow-empty');
  git('tag', tag);
}

/** A database with the first release's schema and, if wished, its dirty data. */
export async function ordersDatabase(
  stage: Stage,
  name: string,
  sql: { readonly seed?: boolean } = {},
): Promise<string> {
  await stage.postgres.createDatabase(name);
  const url = stage.postgres.url(name);
  await query(
    url,
    `${await readFile(join(ORDERS, 'releases/v1/migrations/0001_schema.sql'), 'utf8')}; insert into ` +
      `schema_migrations (version) values ('0001_schema')`,
  );
  if (sql.seed) await query(url, await readFile(join(ORDERS, 'seed.sql'), 'utf8'));
  return url;
}

export async function query<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const result = await client.query(sql);
    return (Array.isArray(result) ? (result.at(-1) as { rows: Row[] }).rows : result.rows) as Row[];
  } finally {
    await client.end();
  }
}

export interface Cast {
  readonly place: Place;
  readonly database: string;
  readonly port: number;
  readonly control: WorkerProcess;
  readonly worker: WorkerProcess;
  stop(): Promise<void>;
}

/** An environment `staging` of its own, with a control worker and its worker. */
export async function raiseEnvironment(
  stage: Stage,
  database: string,
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly environment?: string;
    readonly guardrails?: Record<string, unknown>;
    readonly control?: WorkerProcess;
    readonly people?: readonly Someone[];
    /** Another app than the orders. */
    readonly app?: {
      readonly service: string;
      readonly repository: string;
      readonly programs: readonly string[];
      readonly env: Readonly<Record<string, string>>;
      readonly logs?: string;
    };
    readonly inside?: string;
  } = {},
): Promise<Cast> {
  const environment = options.environment ?? 'staging';
  const port = await freePort();
  const folder = await mkdtemp(join(stage.folder, `${environment}-`));
  const place = await makePlace({
    folder,
    environment,
    service: options.app?.service ?? 'orders',
    repository: options.app?.repository ?? stage.repository,
    artifacts: stage.artifacts,
    control: stage.control.publicText,
    people: options.people ?? Object.values(stage.people),
    worker: await stage.worker(environment),
    // What comes before is called staging in these plans.
    ...(environment !== 'staging' && { others: [await stage.worker('staging')] }),
    programs: options.app?.programs ?? ['node', 'psql'],
    url: `http://127.0.0.1:${port}`,
    serviceEnv: { PORT: String(port), ORDERS_MODULES: MODULES, ...options.app?.env },
    ...(options.inside !== undefined && { inside: options.inside }),
    ...(options.app?.logs !== undefined && { logs: options.app.logs }),
    ...(options.guardrails && { guardrails: options.guardrails }),
  });
  const base = {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '/',
    TEMPORAL_ADDRESS: stage.server.address,
    ORDERS_MODULES: MODULES,
    SOAKGATE_PG_BIN: stage.postgres.bin,
  };
  const control =
    options.control ??
    (await startWorker({
      args: ['control', '--artifacts', stage.artifacts, '--key', stage.control.keyFile],
      cwd: folder,
      env: base,
      log: join(folder, 'control.log'),
    }));
  const worker = await startWorker({
    args: ['environment', '--file', place.file],
    cwd: folder,
    env: { ...base, DATABASE_URL: database, ...options.env },
    log: join(folder, 'worker.log'),
  });
  return {
    place,
    database,
    port,
    control,
    worker,
    stop: async () => void (await Promise.all([control.stop(), worker.stop(), stopService(place)])),
  };
}

async function stopService(place: Place): Promise<void> {
  const pid = Number((await readFile(join(place.root, 'web.pid'), 'utf8').catch(() => '')).split(' ')[0]);
  if (pid) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}

/** Signs and starts a plan. */
export async function start(
  stage: Stage,
  planText: string,
  options: {
    readonly pace?: Pace;
    readonly name?: string;
    readonly timing?: Timing;
    readonly repository?: string;
    readonly by?: Someone;
  } = {},
): Promise<Started & { readonly input: ReturnType<typeof deploymentInput> }> {
  const parsed = parsePlan(planText, 'soakgate.yaml');
  if (!('plan' in parsed)) throw new Error(parsed.complaints.map(renderComplaint).join('\n'));
  const signed = await signStart({
    planText,
    planFile: 'soakgate.yaml',
    plan: parsed.plan,
    repository: options.repository ?? stage.repository,
    person: (options.by ?? stage.people.ann).name,
    key: await readPrivateKey((options.by ?? stage.people.ann).keyFile),
    pace: options.pace ?? null,
    name: options.name ?? `orders-${randomUUID().slice(0, 8)}`,
    nonce: randomUUID(),
    expiresMs: 3_600_000,
  });
  return {
    ...(await startDeployment(stage.connected, signed, options.timing)),
    input: deploymentInput(signed),
  };
}

export { cp, writeFile };
