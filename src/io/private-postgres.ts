// A private PostgreSQL for the demo and the tests: one throw-away cluster on a free port, started in about a
// second.
// Nothing survives a crash of the machine (fsync off); tests that pull the plug need a cluster of their own.
// SOAKGATE_PG_BIN names the folder of initdb and pg_ctl; otherwise PATH, then Debian's own place, newest
// first.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort } from './free-port.ts';

const run = promisify(execFile);
const asRoot = process.getuid?.() === 0;

export interface PrivatePostgres {
  /** `postgres://postgres@127.0.0.1:port/db` */
  url(database: string): string;
  readonly port: number;
  /** The folder of pg_dump, psql and the others. */
  readonly bin: string;
  createDatabase(name: string, template?: string): Promise<void>;
  stop(): Promise<void>;
}

export function findPostgresBin(): string {
  const debian = '/usr/lib/postgresql';
  const majors = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const named = process.env['SOAKGATE_PG_BIN'];
  const folders = named
    ? [named]
    : [...(process.env['PATH'] ?? '').split(delimiter), ...majors.map((major) => join(debian, major, 'bin'))];
  const found = folders.find((folder) =>
    ['initdb', 'pg_ctl', 'pg_dump'].every((program) => existsSync(join(folder, program))),
  );
  if (!found)
    throw new Error(
      'no PostgreSQL server found: install postgresql-15 or set SOAKGATE_PG_BIN to the folder of initdb',
    );
  return found;
}

/** PostgreSQL refuses to run as root. */
const asPostgres = (program: string, args: readonly string[]): [string, string[]] =>
  asRoot ? ['runuser', ['-u', 'postgres', '--', program, ...args]] : [program, [...args]];

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sg-pg-')); // short: a socket's path must fit 107 bytes
  await mkdir(join(folder, 'sock'));
  await chmod(folder, 0o755);
  if (asRoot) {
    const { stdout } = await run('id', ['-u', 'postgres']);
    for (const path of [folder, join(folder, 'sock')]) await chown(path, Number(stdout), -1);
  }
  return folder;
}

/**
 * pg_ctl's server inherits its output, so nothing may be piped here: a pipe would stay open as long as it
 * runs.
 */
function startServer(
  bin: string,
  folder: string,
  port: number,
  settings: readonly string[],
): Promise<boolean> {
  const options =
    `-p ${port} -k ${join(folder, 'sock')} -c listen_addresses=127.0.0.1 -c fsync=off -c ` +
    'synchronous_commit=off -c full_page_writes=off -c shared_buffers=32MB -c max_connections=200' +
    settings.map((setting) => ` -c ${setting}`).join('');
  const [program, args] = asPostgres(join(bin, 'pg_ctl'), [
    '-D',
    join(folder, 'data'),
    '-w',
    '-t',
    '30',
    '-l',
    join(folder, 'log'),
    '-o',
    options,
    'start',
  ]);
  return new Promise((resolve, reject) => {
    spawn(program, args, { stdio: 'ignore', cwd: folder })
      .once('error', reject)
      .once('exit', (code) => resolve(code === 0));
  });
}

const initialise = (bin: string, folder: string, data: string): Promise<unknown> =>
  run(
    ...asPostgres(join(bin, 'initdb'), [
      '-D',
      data,
      '-U',
      'postgres',
      '-A',
      'trust',
      '-E',
      'UTF8',
      '--locale=C.UTF-8',
      '--no-sync',
    ]),
    {
      cwd: folder,
    },
  );

/**
 * An initialised cluster that was never started: whoever starts many servers copies it
 * (`SOAKGATE_PG_TEMPLATE`).
 */
export async function makeTemplate(): Promise<{ readonly data: string; remove(): Promise<void> }> {
  const folder = await makeFolder();
  const data = join(folder, 'data');
  await initialise(findPostgresBin(), folder, data);
  return { data, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** `settings` are of the whole server, each `name=value`: for what only its start can set. */
export async function startPostgres(settings: readonly string[] = []): Promise<PrivatePostgres> {
  const bin = findPostgresBin();
  const folder = await makeFolder();
  const data = join(folder, 'data');
  const like = process.env['SOAKGATE_PG_TEMPLATE'];
  if (like) await run(...asPostgres('cp', ['-a', like, data]), { cwd: folder });
  else await initialise(bin, folder, data);

  let port = await freePort();
  for (let attempt = 1; !(await startServer(bin, folder, port, settings)); attempt += 1) {
    if (attempt === 3)
      throw new Error(`PostgreSQL does not start: ${readFileSync(join(folder, 'log'), 'utf8').slice(-2000)}`);
    port = await freePort(); // somebody else took it in between
  }

  const stopArgs = asPostgres(join(bin, 'pg_ctl'), ['-D', data, '-m', 'immediate', '-w', 'stop']);
  const stopAtExit = () => {
    execFileSync(...stopArgs, { stdio: 'ignore', cwd: '/' });
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', stopAtExit);

  const url = (database: string) => `postgres://postgres@127.0.0.1:${port}/${database}`;
  return {
    url,
    port,
    bin,
    createDatabase: async (name, template = 'template1') => {
      const client = new pg.Client({ connectionString: url('postgres') });
      await client.connect();
      await client
        .query(`create database ${pg.escapeIdentifier(name)} template ${pg.escapeIdentifier(template)}`)
        .finally(() => client.end());
    },
    stop: async () => {
      process.off('exit', stopAtExit);
      await run(...stopArgs, { cwd: folder });
      await rm(folder, { recursive: true, force: true });
    },
  };
}
