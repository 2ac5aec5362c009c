// The server before a real Temporal server with real workers: starts, decisions, endings, and what it says
// when Temporal is gone.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exitOfStatus } from '../../src/client/outcome.ts';
import { openStatus } from '../../src/client/status.ts';
import type { Signed, StartBody } from '../../src/core/messages.ts';
import { hashJson } from '../../src/io/trust.ts';
import { gatedPlan, type Play, raisePlay } from '../cli/play.ts';
import { type Answer, ask, type Asking, raiseServer, type Server, temporalIn } from './http.ts';

const ENVIRONMENT = 'staging';
const SCRIPT = fileURLToPath(new URL('../../examples/ci/start-staging.sh', import.meta.url));
const BIN = fileURLToPath(new URL('../../bin/soakgate.mjs', import.meta.url));
const DEPLOYMENTS = '/v1/deployments';
let play: Play;
let plan: string;
let server: Server;
const environment = () => ({
  TEMPORAL_ADDRESS: play.stage.server.address,
  SOAKGATE_UI: 'http://ui.example.org',
});

beforeAll(async () => {
  play = await raisePlay(ENVIRONMENT);
  plan = await play.writePlan('soakgate.yaml', gatedPlan(ENVIRONMENT));
  server = await raiseServer(environment());
}, 120_000);
afterAll(async () => {
  await server?.end();
  // Without a Temporal server they would wait for it as long as they may.
  await Promise.all([play?.cast.control.kill(), play?.cast.worker.kill()]);
  await play?.stop();
}, 60_000);

/** What a command prints with --print. */
async function printed<T>(...args: readonly string[]): Promise<T> {
  const { code, out, err } = await play.soakgate([...args, '--print']);
  if (code !== 0) throw new Error(err);
  return JSON.parse(out) as T;
}
const signedStart = (name: string, pace = '10m=3s') =>
  printed<Signed<StartBody>>(
    'start',
    plan,
    '--as',
    'ann',
    '--repository',
    play.stage.repository,
    '--name',
    name,
    '--pace',
    pace,
  );
const start = (body: unknown, key: string) =>
  ask(server, 'POST', DEPLOYMENTS, { body, headers: { 'idempotency-key': key } });
const send = (name: string, signed: Signed) =>
  ask(server, 'POST', `${DEPLOYMENTS}/${name}/messages/${signed.message}`, { body: signed });
const statusOf = (name: string) => ask(server, 'GET', `${DEPLOYMENTS}/${name}`);

async function until(name: string, fits: (answer: Answer) => boolean, path = ''): Promise<Answer> {
  const deadline = Date.now() + 80_000;
  for (;;) {
    const answer = await ask(server, 'GET', `${DEPLOYMENTS}/${name}${path}`);
    if (fits(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`${name}${path} never fits: ${JSON.stringify(answer.body)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

describe('a deployment that is started through the server', { timeout: 120_000 }, () => {
  const name = 'through';

  test(
    'is one start, whatever is sent again: same key, other key, other body, other start, and after a ' +
      'restart',
    async () => {
      const [signed, other] = await Promise.all([signedStart(name), signedStart(name, '10m=4s')]);
      const first = await start(signed, 'run-1');
      expect([first.status, first.headers.get('location')]).toEqual([201, `${DEPLOYMENTS}/${name}`]);
      expect(first.body).toMatchObject({
        deployment: name,
        fresh: true,
        running: true,
        link: expect.stringContaining('http://ui.example.org/'),
      });
      const [again, otherKey, otherBody, otherStart] = await Promise.all([
        start(signed, 'run-1'),
        start(signed, 'run-2'),
        start(other, 'run-1'),
        start(other, 'run-3'),
      ]);
      expect([again.status, again.headers.get('idempotent-replayed'), again.body]).toEqual([
        200,
        'true',
        first.body,
      ]);
      expect([otherKey.status, otherKey.headers.get('idempotent-replayed')]).toEqual([200, null]);
      expect(otherKey.body).toEqual({ ...first.body, fresh: false });
      expect([otherBody.status, otherBody.body.detail]).toEqual([409, expect.stringContaining('run-1')]);
      expect([otherStart.status, otherStart.body.detail]).toEqual([
        409,
        `another deployment has the name ${name}: its pace, steps differ`,
      ]);
      expect(await server.end('SIGINT')).toBe(130);
      server = await raiseServer(environment());
      const afterwards = await start(signed, 'run-1');
      expect([
        afterwards.status,
        afterwards.headers.get('idempotent-replayed'),
        afterwards.body.runId,
      ]).toEqual([200, null, first.body.runId]);
    },
  );

  test(
    'is listed and shown as the command shows it; its signed start and its gate report are there to ' +
      'sign on',
    async () => {
      await until(name, ({ status }) => status === 200, `/gate-report/${ENVIRONMENT}`);
      const [{ body: status }, { body: signed }, gateReport, losses, nowhere, never, bad] = await Promise.all(
        [
          statusOf(name),
          ask(server, 'GET', `${DEPLOYMENTS}/${name}/start`),
          ask(server, 'GET', `${DEPLOYMENTS}/${name}/gate-report/${ENVIRONMENT}`),
          ask(server, 'GET', `${DEPLOYMENTS}/${name}/losses/${ENVIRONMENT}`),
          ask(server, 'GET', `${DEPLOYMENTS}/${name}/gate-report/nowhere`),
          statusOf('never'),
          ask(server, 'GET', `${DEPLOYMENTS}?cursor=AAAA`),
        ],
      );
      const own = await (await openStatus(play.stage.connected, name)).read();
      expect(status).toEqual({ ...own, exitCode: exitOfStatus(own) });
      expect(status.exitCode).toBe(8);
      expect(signed.body.deployment).toBe(name);
      expect(hashJson(gateReport.body.gateReport)).toBe(gateReport.body.hash);
      expect(losses.body).toEqual({ text: `not counted: no rollout is open in ${ENVIRONMENT}` });
      expect([nowhere.status, never.status, never.body.code, bad.status]).toEqual([422, 404, 'unknown', 422]);
      const list = async (query: string) => (await ask(server, 'GET', `${DEPLOYMENTS}?${query}`)).body;
      await expect
        .poll(async () => (await list('state=running&service=orders')).deployments, { timeout: 20_000 })
        .toMatchObject([{ deployment: name }]);
      expect((await list('service=another')).deployments).toEqual([]);
      expect((await list('state=terminated')).deployments).toEqual([]);
    },
  );

  test('takes no forged signature (403), counts true ones, and runs to its end', async () => {
    const approve = (...more: readonly string[]) =>
      printed<Signed>('approve', name, ENVIRONMENT, '--as', 'dan', '--yes', ...more);
    const [forged, approval, attestation] = await Promise.all([
      approve('--key', play.stage.people.lea.keyFile),
      approve(),
      printed<Signed>('attest', name, ENVIRONMENT, 'tried', '--as', 'lea', '--yes'),
    ]);
    const refused = await send(name, forged);
    expect([refused.status, refused.body.detail]).toEqual([
      403,
      'refused: the signature does not match the public key',
    ]);
    expect(await send(name, approval)).toMatchObject({
      status: 200,
      body: { accepted: true, text: 'counted, 1 of 1' },
    });
    expect(await send(name, attestation)).toMatchObject({
      status: 200,
      body: { accepted: true, text: 'attested' },
    });
    const ended = await until(name, ({ body }) => body.exitCode !== 8);
    expect(ended.body).toMatchObject({ exitCode: 0, state: 'completed', result: { outcome: 'completed' } });
    expect(await send(name, { ...approval, body: { ...approval.body, nonce: 'another' } })).toMatchObject({
      status: 409,
      body: { code: 'conflict' },
    });
  });
});

test('a CI job starts a staging run with curl and ends as the run ends', { timeout: 120_000 }, async () => {
  const args = [
    SCRIPT,
    plan,
    'ann',
    '--repository',
    play.stage.repository,
    '--key',
    play.stage.people.ann.keyFile,
    '--pace',
    '10m=3s',
  ];
  const env = {
    PATH: process.env['PATH'],
    HOME: play.stage.folder,
    CI_RUN_ID: '4711',
    SOAKGATE_SERVER: server.url,
    FOLLOW_SECONDS: '0.3',
  };
  const job = spawn('sh', args, {
    cwd: play.stage.folder,
    env: { ...env, SOAKGATE: `${process.execPath} ${BIN}` },
  });
  let [out, err] = ['', ''];
  job.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  job.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const code = new Promise((resolve) => job.once('close', resolve));
  await expect
    .poll(() => err, { timeout: 40_000 })
    .toContain('ci-4711: gate of staging; waiting for: the gate of staging: attestation tried');
  expect(
    (await start(await readFile(join(play.stage.folder, 'soakgate-4711.json'), 'utf8'), '4711')).headers.get(
      'idempotent-replayed',
    ),
  ).toBe('true');
  const reject = await printed<Signed>(
    'reject',
    'ci-4711',
    ENVIRONMENT,
    '--as',
    'lea',
    '--reason',
    'not, today',
    '--yes',
  );
  expect((await send('ci-4711', reject)).status).toBe(200);
  expect([await code, err]).toEqual([
    4,
    expect.stringContaining('ci-4711: rejected: rejected by lea: not, today\n'),
  ]);
  expect(JSON.parse(out)).toMatchObject({ deployment: 'ci-4711', exitCode: 4 });
});

test(
  'without Temporal every route is 503 within five seconds and nothing is accepted; with it all is ' +
    'there again',
  { timeout: 120_000 },
  async () => {
    const signed = await signedStart('gone');
    const message = await printed<Signed>('pause', 'through', ENVIRONMENT, '--as', 'lea');
    const before = await readFile(join(play.stage.folder, 'soakgate-4711.json'), 'utf8');
    expect((await ask(server, 'GET', '/healthz')).status).toBe(200);
    const needed: readonly (readonly ['GET' | 'POST', string, Asking?])[] = [
      ['POST', DEPLOYMENTS, { body: signed, headers: { 'idempotency-key': 'gone' } }],
      ['POST', DEPLOYMENTS, { body: before, headers: { 'idempotency-key': '4711' } }],
      ['GET', DEPLOYMENTS],
      ['GET', `${DEPLOYMENTS}/through`],
      ['GET', `${DEPLOYMENTS}/through/start`],
      ['GET', `${DEPLOYMENTS}/through/gate-report/${ENVIRONMENT}`],
      ['POST', `${DEPLOYMENTS}/through/messages/pause`, { body: message }],
      ['GET', '/healthz'],
    ];
    const all = () => Promise.all(needed.map(([method, path, asking]) => ask(server, method, path, asking)));
    const temporal = temporalIn(play.stage.folder);
    temporal.hang();
    const hanging = await all();
    temporal.kill();
    for (const { status, headers, body, tookMs } of [...hanging, ...(await all())]) {
      expect({ status, code: body.code, retry: headers.get('retry-after') }).toEqual({
        status: 503,
        code: 'unreachable',
        retry: '5',
      });
      // Five seconds for the call, and what a very busy machine takes besides.
      expect(tookMs).toBeLessThan(20_000);
    }
    expect((await ask(server, 'GET', '/v1/openapi.json')).status).toBe(200);
    const after = temporal.again();
    try {
      await expect
        .poll(async () => (await ask(server, 'GET', '/healthz')).status, { timeout: 40_000 })
        .toBe(200);
      await expect.poll(async () => (await start(signed, 'gone')).status, { timeout: 20_000 }).toBe(201);
      expect(await server.end()).toBe(0);
      expect(server.log()).not.toContain('internal error');
    } finally {
      after.kill('SIGKILL');
    }
  },
);
