// What the tests of the orders app share: its files, its processes, its database in each state.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { parse } from 'yaml';
import { freePort } from '../../../src/io/free-port.ts';
import { type TestPostgres } from '../../support/postgres.ts';
import { ran } from '../../support/programs.ts';

export const root = resolve(import.meta.dirname, '../../../examples/orders');
export const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const migration = (release: string, name: string): string =>
  read(`releases/${release}/migrations/${name}.sql`);

export async function node(
  script: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  return ran(process.execPath, [join(root, script), ...args], { env: { ...process.env, ...env } });
}

/** The database that v1 has served for years; with `clean` its dirty rows are put right. */
export async function prepareDatabase(
  postgres: TestPostgres,
  name: string,
  state: 'dirty' | 'clean',
): Promise<string> {
  await postgres.createDatabase(name);
  await node('prepare-database.mjs', [
    '--url',
    postgres.url(name),
    ...(state === 'clean' ? ['--decided'] : []),
  ]);
  if (state === 'clean') await query(postgres.url(name), FIXES);
  return postgres.url(name);
}

interface PlanFile {
  readonly steps: readonly {
    readonly step: string;
    readonly data?: {
      readonly rules: readonly {
        readonly rule: string;
        readonly table: string;
        readonly bad: string;
        readonly fix?: string;
      }[];
    };
    readonly forbidden?: readonly {
      readonly table: string;
      readonly set: Readonly<Record<string, string | number>>;
      readonly by: string;
    }[];
  }[];
}

export const plan = parse(read('releases/v2/soakgate.yaml')) as PlanFile;
export const rules = plan.steps.flatMap((step) => step.data?.rules ?? []);
export const forbiddenWrites = plan.steps.flatMap((step) => step.forbidden ?? []);

/** What the plan's data rules do. */
export const FIXES = rules
  .flatMap(({ table, bad, fix }) => (fix ? [`update ${table} set ${fix} where ${bad}`] : []))
  .join('; ');

export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'orders-test' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

export const query = <Row extends object = Record<string, unknown>>(
  url: string,
  sql: string,
): Promise<Row[]> => withClient(url, async (client) => (await client.query(sql)).rows as Row[]);

/** As Soakgate's migrator does it: the file and the ledger's row in one transaction. */
export async function migrate(
  url: string,
  direction: 'up' | 'down',
  version: string,
  sql = migration('v2', direction === 'up' ? version : `${version}.down`),
): Promise<void> {
  const stamp =
    direction === 'up'
      ? 'insert into schema_migrations (version) values ($1)'
      : 'delete from schema_migrations where version = $1';
  await withClient(url, async (client) => {
    await client.query('begin');
    await client.query(sql);
    await client.query(stamp, [version]);
    await client.query('commit');
  });
}

export const migrateUp = async (url: string): Promise<void> => {
  for (const version of ['0002_order_guards', '0003_order_totals']) await migrate(url, 'up', version);
};

export const dumpSchema = async (postgres: TestPostgres, url: string): Promise<string> =>
  (await ran(join(postgres.bin, 'pg_dump'), ['--schema-only', '--dbname', url])).replaceAll(
    /^\\(un)?restrict .*$/gm,
    '',
  );

export interface Shop {
  readonly url: string;
  readonly insideUrl: string;
  readonly process: ChildProcess;
  /** Sends a request; the body of the answer is parsed. */
  ask(method: string, path: string, body?: unknown): Promise<{ status: number; json: any }>;
  stop(): Promise<number | null>;
}

export async function ask(
  url: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; json: any }> {
  const response = await fetch(url + path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: await response.json() };
}

/** Starts a release's server (in its folder, or in a checkout of it) and waits until it listens. */
export async function startShop(
  release: string,
  databaseUrl: string,
  env: Record<string, string> = {},
  folder = join(root, 'releases', release),
): Promise<Shop> {
  const [port, insidePort] = [await freePort(), await freePort()];
  const server = spawn(process.execPath, ['server.mjs'], {
    cwd: folder,
    env: {
      ...process.env,
      DATABASE_URL: databaseUrl,
      PORT: String(port),
      INSIDE_PORT: String(insidePort),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await Promise.race([
    once(server.stdout!, 'data'),
    once(server, 'exit').then(([code]) => Promise.reject(new Error(`the server ended with ${code}`))),
  ]);
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    insideUrl: `http://127.0.0.1:${insidePort}`,
    process: server,
    ask: (method, path, body) => ask(url, method, path, body),
    stop: async () => {
      if (server.exitCode !== null) return server.exitCode;
      const ended = once(server, 'exit');
      server.kill('SIGTERM');
      return (await ended)[0] as number | null;
    },
  };
}
