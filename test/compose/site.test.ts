// The scripts of the compose file without its containers: prepared once, a site comes up, its worker walks a
// deployment's gate, and all goes down.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DevServer, endProcess, startDevServer } from '../../src/io/dev-server.ts';
import { get } from '../../src/io/http.ts';
import { freePort } from '../../src/io/free-port.ts';
import { type PrivatePostgres, startPostgres } from '../../src/io/private-postgres.ts';
import { readEnvironmentFile } from '../../src/io/settings.ts';
import { call } from '../cli/call.ts';
import { ran } from '../support/programs.ts';

const root = join(import.meta.dirname, '../..');
let volumes = '';
let port = 0;
let server: DevServer;
let postgres: PrivatePostgres;
const running: ChildProcess[] = [];
const env = () => ({
  PATH: process.env['PATH'] ?? '',
  HOME: process.env['HOME'] ?? '/',
  SOAKGATE: root,
  STAGING_PORT: String(port),
  ORDERS: join(root, 'examples/orders'),
  ORDERS_MODULES: root,
  VOLUMES: volumes,
  TEMPORAL_ADDRESS: server.address,
  SOAKGATE_PG_BIN: postgres.bin,
});

beforeAll(async () => {
  volumes = await mkdtemp(join(tmpdir(), 'sg-compose-'));
  for (const name of ['artifacts', 'control', 'people', 'production', 'repository', 'staging'])
    await mkdir(join(volumes, name));
  port = await freePort();
  [server, postgres] = await Promise.all([startDevServer(volumes, { headless: true }), startPostgres()]);
  for (const name of ['staging', 'production']) await postgres.createDatabase(name);
});
afterAll(async () => {
  await Promise.all(running.map((child) => endProcess(child)));
  await Promise.all([server.stop(), postgres.stop()]);
  await rm(volumes, { recursive: true, force: true });
});

const prepare = () => ran(process.execPath, [join(root, 'compose/prepare.mjs')], { env: env() });

function raise(args: readonly string[], database: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, args, {
    env: { ...env(), DATABASE_URL: postgres.url(database) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  running.push(child);
  let said = '';
  return new Promise((resolve, reject) => {
    child.stderr!.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('worker is ready')) resolve(child);
    });
    child.once('exit', (code) => reject(new Error(`${args.join(' ')} ended with ${code}:\n${said}`)));
  });
}

test('prepare makes keys, repository and two places, and a second time nothing', async () => {
  await prepare();
  const keys = join(volumes, 'people/soakgate/keys');
  expect((await readdir(keys)).sort()).toEqual(['dan.key', 'lea.key', 'rae.key']);
  expect((await stat(join(keys, 'lea.key'))).mode & 0o777).toBe(0o600);
  const [staging, production] = await Promise.all(
    ['staging', 'production'].map((name) => readEnvironmentFile(join(volumes, name, `${name}.yaml`))),
  );
  expect(staging).toMatchObject({
    environment: 'staging',
    permitStore: join(volumes, 'staging/permit-store'),
    guardrails: { pace: 'allowed', approve: { each: [] } },
  });
  expect(production).toMatchObject({
    guardrails: { approve: { each: ['lead', 'dba'] } },
    services: { orders: { inside: 'http://127.0.0.1:8102' } },
  });
  const before = await readFile(join(keys, 'lea.key'), 'utf8');
  await prepare();
  expect(await readFile(join(keys, 'lea.key'), 'utf8')).toBe(before);
});

test(
  'a site fills its database once, serves its first release, and comes up again; a deployment goes ' +
    'through it',
  async () => {
    await raise(
      [
        join(root, 'bin/soakgate.mjs'),
        'worker',
        'control',
        '--artifacts',
        join(volumes, 'artifacts'),
        '--key',
        join(volumes, 'control/control.key'),
      ],
      'none',
    );
    const site = await raise([join(root, 'compose/site.mjs'), 'staging'], 'staging');
    const health = async () => (await get(`http://127.0.0.1:${port}/health`).catch(() => null))?.status;
    await expect.poll(health, { timeout: 20_000 }).toBe(200);
    site.kill('SIGTERM');
    expect(await new Promise((resolve) => site.once('exit', resolve))).toBe(0);
    await expect.poll(health, { timeout: 10_000 }).not.toBe(200);
    await raise([join(root, 'compose/site.mjs'), 'staging'], 'staging');
    await expect.poll(health, { timeout: 20_000 }).toBe(200);

    const people = {
      cwd: volumes,
      env: { TEMPORAL_ADDRESS: server.address, XDG_CONFIG_HOME: join(volumes, 'people') },
    };
    const plan = join(volumes, 'repository/soakgate.yaml');
    const start = await call(
      [
        'start',
        plan,
        '--as',
        'rae',
        '--repository',
        join(volumes, 'repository'),
        '--name',
        'first',
        '--pace',
        '7d=60s',
      ],
      people,
    );
    expect(start).toMatchObject({ code: 0 });
    const restarted = async () => (await call(['status', 'first'], people)).out;
    await expect.poll(restarted, { timeout: 180_000, interval: 1_000 }).toMatch(/✓ pass +health/u);
    await call(['abort', 'first', 'staging', '--as', 'lea', '--yes', '--reason', 'seen enough'], people);
    expect(await call(['status', 'first', '--watch', '--timeout', '60s'], people)).toMatchObject({ code: 3 });
    expect((await get(`http://127.0.0.1:${port}/health`)).status).toBe(200);
  },
  360_000,
);
