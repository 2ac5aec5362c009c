// Two thousand malformed requests to a real server with a real Temporal behind it: none fails it, none holds it, and
// each is answered in the documented form.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Signed, StartBody } from '../../src/core/messages.ts';
import { problemSchema } from '../../src/api/answers.ts';
import { gatedPlan, type Play, raisePlay } from '../cli/play.ts';
import { ask, raiseServer, type Server } from './http.ts';
import { type Malformed, malformed } from './malformed.ts';
import { exchange, type RawAnswer } from './raw.ts';

const ENVIRONMENT = 'staging';
const REQUESTS = 2_000;
const AT_ONCE = 32;
/** Until the server is told that nothing more comes. */
const PATIENCE_MS = 1_000;
const HANGS_MS = 5_000;
/** The same requests again: SOAKGATE_SEED=… as a failure says it. */
const seed = Number(process.env['SOAKGATE_SEED'] ?? Date.now() % 2 ** 31);
let play: Play;
let server: Server;

beforeAll(async () => {
  play = await raisePlay(ENVIRONMENT);
  server = await raiseServer({ TEMPORAL_ADDRESS: play.stage.server.address });
}, 120_000);
afterAll(async () => {
  await server?.end();
  await Promise.all([play?.cast.control.kill(), play?.cast.worker.kill()]);
  await play?.stop();
}, 60_000);

async function start(name: string): Promise<number> {
  const plan = await play.writePlan(`${name}.yaml`, gatedPlan(ENVIRONMENT));
  const repository = ['--repository', play.stage.repository];
  const printed = await play.soakgate([
    'start',
    plan,
    '--as',
    'ann',
    ...repository,
    '--name',
    name,
    '--print',
  ]);
  const body = JSON.parse(printed.out) as Signed<StartBody>;
  const headers = { 'idempotency-key': name };
  return (await ask(server, 'POST', '/v1/deployments', { body, headers })).status;
}

const DOCUMENTED = [200, 201, 202, 400, 403, 404, 408, 409, 413, 415, 417, 421, 422, 431, 503];

/** What is wrong with one answer; null where nothing is. */
function fault({ bytes }: Malformed, { status, headers, body }: RawAnswer): string | null {
  if (!DOCUMENTED.includes(status)) return `it is answered ${status}`;
  if (status < 400 || /^head /iu.test(bytes.toString('latin1', 0, 5))) return null;
  if (headers.get('content-type') !== 'application/problem+json')
    return `no problem: ${headers.get('content-type')}`;
  if (status === 503 && !headers.has('retry-after')) return 'no Retry-After';
  try {
    const problem = problemSchema.strict().parse(JSON.parse(body));
    return problem.status === status && problem.remedy && problem.detail ? null : 'the problem is another';
  } catch (error) {
    return `the problem cannot be read: ${String(error)}`;
  }
}

/** Most are answered at once; who is not is asked again, and more patiently: it may wait for the rest of a request. */
async function faultsOf(request: Malformed, port: number): Promise<readonly string[]> {
  let { answers, rest } = await exchange(port, request.bytes, PATIENCE_MS);
  if (answers.length === 0) ({ answers, rest } = await exchange(port, request.bytes, HANGS_MS));
  const faults = [
    ...(answers.length === 0 ? [`it is not answered: ${rest.slice(0, 200)}`] : []),
    ...answers.flatMap((answer) => fault(request, answer) ?? []),
  ];
  return faults.map((one) => `${one}\n    ${request.about}`);
}

test('malformed requests are refused as documented, and the server stays', { timeout: 150_000 }, async () => {
  expect(await start('there')).toBe(201);
  const requests = fc.sample(malformed({ deployment: 'there', environment: ENVIRONMENT }), {
    seed,
    numRuns: REQUESTS,
  });
  const port = Number(new URL(server.url).port);
  const faults: string[] = [];
  const queue = requests.values();
  const line = async () => {
    for (const request of queue) faults.push(...(await faultsOf(request, port)));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, line));
  expect(faults.slice(0, 10), `SOAKGATE_SEED=${seed}: ${faults.length} faults`).toEqual([]);
  expect(server.log().match(/internal error[^"]*/u)?.[0], `SOAKGATE_SEED=${seed}`).toBe(undefined);
  expect((await ask(server, 'GET', '/healthz')).status).toBe(200);
  expect(await start('after')).toBe(201);
});
