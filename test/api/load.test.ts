// What costs a reader seconds costs the server's own loop nothing: it answers others meanwhile, says so when it is
// busy, and ends what does not come to an end.
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeApp } from '../../src/api/app.ts';
import { makeServer, type Patience } from '../../src/api/listener.ts';
import { openStartThreads, type StartThreadsOptions } from '../../src/api/start-threads.ts';
import { type DevServer, startDevServer } from '../../src/io/dev-server.ts';
import { costlyStarts } from './cost.ts';
import { signedStart, standIn, started } from './deployments.ts';
import { ask, raiseServer, type Server } from './http.ts';

const STARTS = '/v1/deployments';
/** Each is answered in milliseconds; a whole second on a machine that does much else. */
const AT_ONCE_MS = 1_000;
let folder: string;
let temporal: DevServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sg-load-'));
  temporal = await startDevServer(folder, { headless: true });
}, 120_000);
afterAll(async () => {
  await temporal?.stop();
  await rm(folder, { recursive: true, force: true });
});

const post = (url: string, key: string, body: string) =>
  fetch(`${url}${STARTS}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body,
  });

/** Twenty that take longest, none of them signed by anybody; how each was answered. */
async function twenty(url: string): Promise<readonly number[]> {
  const bodies = [...costlyStarts().values()];
  const answers = Array.from({ length: 20 }, async (_, at) => {
    const answer = await post(url, `k-${at}`, bodies[at % bodies.length]!);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    await answer.arrayBuffer();
    return answer.status;
  });
  return Promise.all(answers);
}

describe('while twenty starts of 1 MB are read', { timeout: 120_000 }, () => {
  let server: Server;
  beforeAll(async () => {
    server = await raiseServer({ TEMPORAL_ADDRESS: temporal.address });
  });
  afterAll(() => server?.end());

  test('everybody else is answered at once, and each of them is refused', async () => {
    expect((await ask(server, 'GET', '/healthz')).status).toBe(200);
    let reading = true;
    const answers = twenty(server.url).finally(() => (reading = false));
    const took: number[] = [];
    while (reading) {
      const health = await ask(server, 'GET', '/healthz');
      expect(health.status).toBe(200);
      took.push(health.tookMs);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    for (const status of await answers) expect([422, 503]).toContain(status);
    expect(took.length).toBeGreaterThan(5);
    expect(Math.max(...took)).toBeLessThan(AT_ONCE_MS);
  });
});

const running: (() => Promise<unknown>)[] = [];
afterAll(() => Promise.all(running.map((end) => end())));

/** The server of this very process, with a stand-in for Temporal. */
async function here(threading: Partial<StartThreadsOptions> = {}, patience?: Patience): Promise<string> {
  const { door } = standIn({ start: async () => started });
  const threads = openStartThreads(threading);
  const log = { level: 'info', info: () => undefined, error: () => undefined } as const;
  const app = makeApp({ door, readStart: (body) => threads.read(body), loopbackOnly: true, log });
  const server = makeServer(app.fetch, patience);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  running.push(async () => {
    server.closeAllConnections();
    server.close();
    await threads.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('the loop of the server', { timeout: 120_000 }, () => {
  test('stands still for no body, and reads what is right', async () => {
    const url = await here();
    expect((await post(url, 'first', JSON.stringify(signedStart()))).status).toBe(201);
    const delay = monitorEventLoopDelay({ resolution: 10 });
    costlyStarts();
    delay.enable();
    const answers = await twenty(url);
    delay.disable();
    expect(new Set(answers).size).toBeGreaterThan(0);
    expect(delay.percentile(90) / 1e6).toBeLessThan(AT_ONCE_MS / 4);
    expect(delay.max / 1e6).toBeLessThan(AT_ONCE_MS);
  });

  /** A reader that comes to no end for what begins with "for ever", and to none in memory for "memory". */
  const endless = async (): Promise<URL> => {
    const file = join(folder, 'endless.mjs');
    await writeFile(
      file,
      `export function readStart(body) {
        const text = new TextDecoder().decode(body);
        if (text === 'for ever') for (;;);
        const kept = [];
        if (text === 'memory') for (;;) kept.push(new Array(1e6).fill(kept.length));
        return { failed: text };
      }`,
    );
    return pathToFileURL(file);
  };

  test('ends what misses its deadline or takes all memory, and reads the next', async () => {
    const url = await here({ entry: await endless(), threads: 1, deadlineMs: 3_000 });
    for (const body of ['for ever', 'memory', 'for ever']) {
      const answer = await post(url, body.replace(' ', '-'), body);
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
      expect(await answer.json()).toMatchObject({ code: 'busy', remedy: expect.stringContaining('again') });
    }
    // Read by the thread that replaced the others: it says what it was given.
    expect((await post(url, 'next', 'next')).status).toBe(500);
  });

  test('keeps few waiting: the others are told to come again', async () => {
    const url = await here({ entry: await endless(), threads: 1, waiting: 2, deadlineMs: 3_000 });
    const started = performance.now();
    const all = await Promise.all(
      Array.from({ length: 8 }, async (_, at) => {
        const { status } = await post(url, `k-${at}`, 'for ever');
        return { status, tookMs: performance.now() - started };
      }),
    );
    expect(all.map(({ status }) => status)).toEqual(all.map(() => 503));
    expect(all.filter(({ tookMs }) => tookMs < 2_000).length).toBeGreaterThanOrEqual(4);
  });
});

describe('who sends slowly', { timeout: 60_000 }, () => {
  test('is answered 408 and let go; meanwhile everybody else is answered at once', async () => {
    const url = await here({}, { headersMs: 1_000, requestMs: 2_000 });
    const { port } = new URL(url);
    const head = `POST ${STARTS} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n`;
    const drip = (text: string) => dripping(Number(port), text);
    const slow = Array.from({ length: 200 }, (_, at) =>
      drip(at % 2 ? head : `${head}Idempotency-Key: k\r\nContent-Length: 1000000\r\n\r\n{`),
    );
    const started = performance.now();
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(performance.now() - started).toBeLessThan(AT_ONCE_MS);
    for (const said of await Promise.all(slow)) {
      expect(said).toMatch(/^HTTP\/1\.1 408 /u);
      expect(JSON.parse(said.slice(said.indexOf('\r\n\r\n')))).toMatchObject({ status: 408, code: 'usage' });
    }
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

/** Sends what is given and then a byte from time to time, until the other side ends it; resolves with what it said. */
async function dripping(port: number, text: string): Promise<string> {
  const socket: Socket = connect(port, '127.0.0.1');
  let said = '';
  socket.on('data', (chunk) => (said += chunk.toString()));
  socket.on('error', () => undefined);
  socket.write(text);
  const drops = setInterval(() => socket.write('x'), 300);
  await once(socket, 'close');
  clearInterval(drops);
  return said;
}
