// The npm package as somebody else has it: packed, installed into an empty folder, and run from there with
// Node alone.
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makePlace, makeSomeone, type Place, type Someone } from '../../src/cli/demo/place.ts';
import { planJsonSchema } from '../../src/core/plan/schema.ts';
import { type DevServer, endProcess, startDevServer } from '../../src/io/dev-server.ts';
import { type PrivatePostgres, startPostgres } from '../../src/io/private-postgres.ts';
import { signedStart } from '../api/deployments.ts';
import { ask, raiseServer } from '../api/http.ts';
import { gatedPlan } from '../cli/play.ts';
import { ran, run } from '../support/programs.ts';

const root = join(import.meta.dirname, '../..');
const orders = join(root, 'examples/orders');
const plan = join(orders, 'releases/v2/soakgate.yaml');
/** npm and its scripts by this very Node. */
const PATH = [dirname(process.execPath), process.env['PATH']].join(delimiter);
const env = { PATH, HOME: process.env['HOME'] ?? '/', TEMPORAL_ADDRESS: '127.0.0.1:1' };
/** With an empty cache some 120 MB come over the network. */
const INSTALL_LIMIT_MS = 600_000;

let folder = '';
let home = '';
let files: readonly string[] = [];

/** In the caller's environment: behind a company's proxy or certificate nothing is fetched without it. */
const npm = (args: readonly string[], cwd: string): Promise<string> =>
  ran('npm', args, { cwd, env: { ...process.env, PATH }, limitMs: INSTALL_LIMIT_MS });
const installed = (...path: string[]): string => join(home, 'node_modules', 'soakgate', ...path);
const soakgate = (
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
  node = process.execPath,
) => run(node, [join(home, 'node_modules/.bin/soakgate'), ...args], { cwd: home, env: { ...env, ...more } });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sg-package-'));
  home = join(folder, 'empty');
  await mkdir(home);
  const [packed] = JSON.parse(
    await npm(['pack', '--json', '--silent', '--pack-destination', folder], root),
  ) as {
    filename: string;
    files: { path: string }[];
  }[];
  files = packed!.files.map(({ path }) => path);
  await npm(
    [
      'install',
      '--prefix',
      home,
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      join(folder, packed!.filename),
    ],
    home,
  );
}, 2 * INSTALL_LIMIT_MS);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('what is in it', () => {
  test('neither TypeScript nor tests, examples or scripts; nothing whose source is gone', async () => {
    expect(
      files.filter(
        (path) =>
          /\.ts$|\.map$|\.tsbuildinfo$/u.test(path) ||
          /(?:^|\/)(?:test|examples|scripts|bench)\//u.test(path),
      ),
    ).toEqual([]);
    expect([...new Set(files.map((path) => path.split('/')[0]!))].sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'bin',
      'dist',
      'docs',
      'package.json',
      'schema.json',
    ]);
    const built = files
      .filter((path) => path.startsWith('dist/') && path !== 'dist/workflow-bundle.js')
      .map((path) => path.slice(5, -3));
    expect(files).toContain('dist/workflow-bundle.js');
    const sources = new Set(
      (await Promise.all(['src', 'activities', 'worker', 'workflows'].map(sourcesOf))).flat(),
    );
    expect(built.filter((name) => !sources.has(name))).toEqual([]);
  });

  test('the schema, where the first line of a plan looks for it, and by its name', async () => {
    expect(JSON.parse(await readFile(installed('schema.json'), 'utf8'))).toEqual(planJsonSchema());
    const found = await ran(process.execPath, ['-p', "require.resolve('soakgate/schema.json')"], {
      cwd: home,
      env,
    });
    expect(found.trim()).toBe(installed('schema.json'));
  });
});

async function sourcesOf(zone: string): Promise<readonly string[]> {
  const found = await readdir(join(root, zone), { recursive: true });
  return found.filter((path) => path.endsWith('.ts')).map((path) => `${zone}/${path.slice(0, -3)}`);
}

const old = await findOldNode();
describe('its commands', () => {
  test('version, validate and plan', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(await soakgate(['validate', plan])).toMatchObject({
      exitCode: 0,
      stdout: `${plan} is valid: orders, 16 steps, staging → production\n`,
    });
    expect(await soakgate(['--version'])).toMatchObject({ exitCode: 0, stdout: `${version}\n` });
    expect(await soakgate(['plan', plan])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('rollback, in this order:'),
    });
  });

  test('doctor names what a worker calls; the demo says where it is played', async () => {
    const doctor = await soakgate(['doctor', '-o', 'json'], {
      PATH: dirname(process.execPath),
      XDG_CONFIG_HOME: folder,
    });
    const findings = Object.fromEntries(
      (JSON.parse(doctor.stdout) as { part: string; what: string }[]).map(({ part, what }) => [part, what]),
    );
    expect(findings).toMatchObject({
      'Node.js': process.version,
      git: 'no git',
      'PostgreSQL client': 'no psql, pg_dump, pg_restore',
    });
    expect(await soakgate(['demo'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('in a checkout: npm run demo'),
    });
  });

  test('the server reads a start in a thread of its own', async () => {
    const server = await raiseServer(env, [], join(home, 'node_modules/.bin/soakgate'));
    try {
      const start = signedStart({ planText: gatedPlan('staging').replace('kind: code', 'kind: coed') });
      const headers = { 'idempotency-key': 'packed' };
      const answer = await ask(server, 'POST', '/v1/deployments', { body: start, headers });
      expect([answer.status, answer.body.errors]).toEqual([
        422,
        [expect.stringMatching(/^soakgate\.yaml:4:7 kind: /u)],
      ]);
      expect(await server.end()).toBe(0);
    } finally {
      await server.end('SIGKILL');
    }
  });

  test.runIf(old)('an older Node is told what is needed: exit code 2', async () => {
    const { exitCode, stdout, stderr } = await soakgate(['validate', plan], {}, old);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(
      /^soakgate needs Node 22\.18 or newer, and this is v\d+\.\d+\.\d+: install Node 22\.18 or newer\.\n$/u,
    );
  });
});

/** A Node of this machine that is too old, if there is one. */
async function findOldNode(): Promise<string | undefined> {
  for (const node of (process.env['PATH'] ?? '').split(delimiter).map((place) => join(place, 'node'))) {
    const { stdout } = await run(node, ['-p', 'process.versions.node']);
    const [major = 99, minor = 0] = stdout.split('.').map(Number);
    if (major > 0 && (major < 22 || (major === 22 && minor < 18))) return node;
  }
  return undefined;
}

describe('its workers', () => {
  let server: DevServer;
  let postgres: PrivatePostgres;
  let ann: Someone;
  let place: Place;
  const running: ReturnType<typeof spawn>[] = [];

  beforeAll(async () => {
    [server, postgres] = await Promise.all([startDevServer(folder, { headless: true }), startPostgres()]);
    await postgres.createDatabase('staging');
    const keys = join(folder, 'keys');
    const control = await makeSomeone(keys, 'control', []);
    ann = await makeSomeone(keys, 'ann', ['developer']);
    const repository = join(folder, 'repository');
    await ran(process.execPath, [join(orders, 'make-repository.mjs'), repository]);
    const artifacts = join(folder, 'artifacts');
    place = await makePlace({
      folder,
      environment: 'staging',
      service: 'orders',
      repository,
      artifacts,
      control: control.publicText,
      people: [ann],
      programs: ['node', 'psql'],
    });
    await Promise.all([
      ready(['control', '--artifacts', artifacts, '--key', control.keyFile]),
      ready(['environment', '--file', place.file]),
    ]);
  }, 120_000);
  afterAll(async () => {
    await Promise.all(running.map((child) => endProcess(child)));
    await Promise.all([server.stop(), postgres.stop()]);
  });

  /** Starts `soakgate worker …` and waits until it says that it is ready. */
  function ready(args: readonly string[]): Promise<void> {
    const child = spawn(join(home, 'node_modules/.bin/soakgate'), ['worker', ...args], {
      cwd: home,
      env: {
        ...env,
        TEMPORAL_ADDRESS: server.address,
        DATABASE_URL: postgres.url('staging'),
        SOAKGATE_PG_BIN: postgres.bin,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    running.push(child);
    let said = '';
    return new Promise((resolve, reject) => {
      child.stderr!.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes('worker is ready')) resolve();
      });
      child.once('exit', (code) => reject(new Error(`worker ${args[0]} ended with ${code}:\n${said}`)));
    });
  }

  test('are ready, walk a deployment to its end by the packed workflows, and end when told', async () => {
    const file = join(folder, 'tools.yaml');
    // Its first step fails, so that it ends at once and changes nothing.
    await writeFile(
      file,
      gatedPlan('staging')
        .replace(/gate:\n(?: .*\n)+/u, '')
        .replace('steps:', 'steps:\n  - { step: preflight, preflight: { tools: [no-such-tool] } }'),
    );
    const start = [
      'start',
      file,
      '--repository',
      join(folder, 'repository'),
      '--as',
      'ann',
      '--key',
      ann.keyFile,
      '--name',
      'packed',
      '--watch',
    ];
    const { exitCode, stdout, stderr } = await soakgate(start, { TEMPORAL_ADDRESS: server.address });
    expect({ exitCode, said: `${stdout}${stderr}` }).toEqual({
      exitCode: 1,
      said: expect.stringContaining("preflight: no-such-tool is not on the worker's path"),
    });
    const outcomes = running.map((child) => new Promise((resolve) => child.once('exit', resolve)));
    for (const child of running) child.kill('SIGTERM');
    expect(await Promise.all(outcomes)).toEqual([0, 0]);
  }, 120_000);
});
