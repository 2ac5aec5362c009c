// The check over HTTP against a server that answers oddly: a status is judged, never whether a client came
// back.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BACKUP, type Bench, MIGRATE, permit, raiseBench } from '../support/hands.ts';

let bench: Bench;
let site: Server;
const asked: string[] = [];
/** What each path answers; `/silence` never does, `/get-only` refuses HEAD as FastAPI does. */
const answers: Record<string, number> = { '/good': 200, '/broken': 500, '/moved': 301, '/closed': 503 };

beforeAll(async () => {
  bench = await raiseBench();
  site = createServer(({ method, url = '' }, response) => {
    asked.push(`${method} ${url}`);
    if (url === '/silence') return;
    const status = url === '/get-only' ? (method === 'GET' ? 200 : 405) : answers[url]!;
    response.writeHead(status, status === 301 ? { location: '/good' } : {}).end('{}');
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  site.closeAllConnections();
  site.close();
  await bench?.stop();
});

async function ask(path: string, more = '') {
  const { port } = site.address() as AddressInfo;
  const step = `  - { step: ask, check: { http: { get: ${path}, within: 500ms${more} } } }\n`;
  return (await permit(bench, { steps: BACKUP + MIGRATE + step, port })).run('ask');
}

test('S0-42, T-42: an error, a redirect and silence are answers of a server that is not well', async () => {
  expect(await ask('/good')).toMatchObject({ verdict: 'pass' });
  for (const [path, said] of [
    ['/broken', '/broken: 500, expected 200'],
    ['/moved', '/moved: 301, expected 200'],
    ['/closed', '/closed: 503, expected 200'],
    ['/silence', expect.stringContaining('/silence: no answer')],
  ] as const)
    expect(await ask(path), path).toMatchObject({ verdict: 'fail', details: [said] });
});

test(
  'T-46: it is asked with GET, and a redirect is an answer of its own: expected where the plan says ' +
    'so, never followed',
  async () => {
    expect(await ask('/get-only')).toMatchObject({ verdict: 'pass' });
    expect(asked).not.toContain('HEAD /get-only');
    asked.length = 0;
    expect(await ask('/moved', ', status: 301')).toMatchObject({ verdict: 'pass' });
    expect(asked).toEqual(['GET /moved']);
  },
);
