// What the tests of the characters app share: its repository, its commands, its database in each state, its
// server.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from '../../../src/io/free-port.ts';
import { type TestPostgres } from '../../support/postgres.ts';
import { ran, run } from '../../support/programs.ts';
import { pythonEnvironment } from './python.ts';

/** A loaded machine starts Python many times slower than an idle one. */
export const PATIENCE = 240_000;

export type Release = 'v-prev' | 'v-next';
export const root = resolve(import.meta.dirname, '../../../examples/validation-system');
export const read = (path: string): string => readFileSync(join(root, path), 'utf8');

export interface Repository {
  readonly path: string;
  readonly shas: Readonly<Record<Release, string>>;
}

export async function makeRepository(
  path: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<Repository> {
  const made = await ran(process.execPath, [join(root, 'make-repository.mjs'), path, ...args], {
    env: { ...process.env, ...env },
  });
  return { path, shas: JSON.parse(made) as Repository['shas'] };
}

/** A release in a folder of its own, as a host has it. */
export async function checkOut(repository: Repository, release: Release, path: string): Promise<string> {
  await ran('git', [
    'clone',
    '--quiet',
    '--branch',
    release,
    '--config',
    'advice.detachedHead=false',
    repository.path,
    path,
  ]);
  return path;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Python in a checkout; a code other than 0 is a result. */
export async function python(
  checkout: string,
  args: readonly string[],
  databaseUrl: string,
  env: Record<string, string> = {},
): Promise<Ran> {
  const program = join((await pythonEnvironment()) ?? '', 'bin/python');
  const options = {
    cwd: checkout,
    env: { ...process.env, DATABASE_URL: databaseUrl, ...env },
    limitMs: PATIENCE,
  };
  const { exitCode, killedBy, stdout, stderr } = await run(program, args, options);
  if (exitCode === null) throw new Error(`${program} ${args.join(' ')} was ended by ${killedBy}: ${stderr}`);
  return { code: exitCode, stdout, stderr };
}

/** As Soakgate runs a check: a session that cannot write. */
export const READ_ONLY = { PGOPTIONS: '-c default_transaction_read_only=on' };

export const manage = (
  checkout: string,
  databaseUrl: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ran> => python(checkout, ['manage.py', ...args], databaseUrl, env);

/** The same, where anything but 0 is a mistake of the test. */
export async function managed(
  checkout: string,
  databaseUrl: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const ran = await manage(checkout, databaseUrl, args, env);
  if (ran.code !== 0)
    throw new Error(`${args.join(' ')} ended with ${ran.code}: ${ran.stderr || ran.stdout}`);
  return ran.stdout;
}

export async function query<Row extends object = Record<string, unknown>>(
  url: string,
  sql: string,
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as Row[];
  } finally {
    await client.end();
  }
}

/** What people decide by hand about the rows that no machine may touch. */
export const DECISIONS = `
  update characters_human set age = 500 where age > 500;
  update characters_human set apparent_age = 200 where apparent_age > 200;
  update characters_character set status = 'deceased' where status = 'zombie';
  delete from game_strelationship where note = 'only stands in'`;

/** An empty database with v-prev's tables and its seed. */
export async function seed(
  postgres: TestPostgres,
  prev: string,
  name: string,
  args: readonly string[] = [],
): Promise<string> {
  await postgres.createDatabase(name);
  await managed(prev, postgres.url(name), ['migrate', '--verbosity', '0']);
  await managed(prev, postgres.url(name), ['seed_dirty', ...args]);
  return postgres.url(name);
}

export interface Answer {
  readonly status: number;
  readonly json: any;
}

export async function ask(url: string, method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, json: text.startsWith('{') ? JSON.parse(text) : text };
}

export interface App {
  readonly url: string;
  readonly insideUrl: string;
  ask(method: string, path: string, body?: unknown): Promise<Answer>;
  stop(): Promise<number | null>;
}

/** Starts a checkout's server as the plan does, and waits until it listens. */
export async function startApp(
  checkout: string,
  databaseUrl: string,
  env: Record<string, string> = {},
): Promise<App> {
  const [port, insidePort] = [await freePort(), await freePort()];
  const server = spawn(join((await pythonEnvironment()) ?? '', 'bin/python'), ['-m', 'gunicorn', 'tg.wsgi'], {
    cwd: checkout,
    env: {
      ...process.env,
      DATABASE_URL: databaseUrl,
      PORT: String(port),
      INSIDE_PORT: String(insidePort),
      ...env,
    },
    stdio: 'ignore',
  });
  const ended = once(server, 'exit');
  const url = `http://127.0.0.1:${port}`;
  const listens = () =>
    fetch(`${url}/health`).then(
      () => true,
      () => false,
    );
  while (!(await listens())) {
    if (server.exitCode !== null) throw new Error(`the server ended with ${server.exitCode}`);
    await sleep(50);
  }
  return {
    url,
    insideUrl: `http://127.0.0.1:${insidePort}`,
    ask: (method, path, body) => ask(url, method, path, body),
    stop: async () => {
      server.kill('SIGTERM');
      return (await ended)[0] as number | null;
    },
  };
}

/** What the forward fallback does: the prepared migration is added to the loaded ones. */
export const forwardFile = (checkout: string, name: string): { from: string; to: string } => {
  const [from, to] = [
    join(checkout, `characters/forward/${name}.py`),
    join(checkout, `characters/migrations/${name}.py`),
  ];
  if (!existsSync(from)) throw new Error(`${from} is missing`);
  return { from, to };
};
