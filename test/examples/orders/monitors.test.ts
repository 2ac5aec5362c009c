// What is read while the shop runs: traffic's report, the monitor, the monitors' SQL; and the flows.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { flows } from '../../../activities/checks/flows.ts';
import type { Work } from '../../../activities/frame/step-context.ts';
import { freePort } from '../../../src/io/free-port.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { migrateUp, node, prepareDatabase, query, read, root, type Shop, startShop } from './shop.ts';

interface Second {
  at: string;
  sent: number;
  ok: number;
  failed: number;
  p50: number | null;
  p95: number | null;
  answers: Record<string, number>;
}

let postgres: TestPostgres;
let database: string;
let folder: string;
let shop: Shop;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'orders-'));
  postgres = await startPostgres();
  database = await prepareDatabase(postgres, 'shop', 'clean');
  await migrateUp(database);
  shop = await startShop('v2', database, { ORDERS_FAULT: join(folder, 'fault.json') });
}, 60_000);
afterAll(async () => {
  await shop?.stop();
  await postgres?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function drive(url: string, forMs: number, rate = 40): Promise<Second[]> {
  const report = join(folder, `report-${Math.random()}.jsonl`);
  const traffic = spawn(
    process.execPath,
    [join(root, 'traffic.mjs'), '--url', url, '--rate', String(rate), '--report', report],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  await sleep(forMs);
  const ended = once(traffic, 'exit');
  traffic.kill('SIGTERM');
  expect((await ended)[0]).toBe(0);
  return readFileSync(report, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Second);
}

const total = (seconds: readonly Second[], key: 'sent' | 'ok' | 'failed'): number =>
  seconds.reduce((sum, second) => sum + second[key], 0);
const monitor = async (args: readonly string[] = []): Promise<Record<string, unknown>> =>
  JSON.parse(
    await node('releases/v2/monitor.mjs', ['--json', ...args], { DATABASE_URL: database }),
  ) as Record<string, unknown>;

describe('traffic', () => {
  test('reports each second, writes only what is valid, and loses nothing', async () => {
    const seconds = await drive(shop.url, 3500);
    expect(seconds.length).toBeGreaterThanOrEqual(3);
    expect(total(seconds, 'failed')).toBe(0);
    expect(total(seconds, 'ok')).toBe(total(seconds, 'sent'));
    expect(total(seconds, 'sent')).toBeGreaterThan(80);
    for (const second of seconds.filter(({ sent }) => sent > 0)) {
      expect(Number.isNaN(Date.parse(second.at))).toBe(false);
      expect(second.p50).toBeGreaterThan(0);
      expect(second.p95).toBeGreaterThanOrEqual(second.p50!);
    }
    const [written] = await query<{ orders: number; paid: number }>(
      database,
      `select count(*)::int as orders, (count(*) filter (where status = 'paid'))::int as paid
        from orders where id > 20000`,
    );
    expect(written!.orders).toBeGreaterThan(5);
    expect(written!.paid).toBeGreaterThan(2);
  }, 20_000);

  test('is an open loop: a slow server is sent as much, and its latency shows', async () => {
    writeFileSync(join(folder, 'fault.json'), '{"slowMs": 300}');
    await sleep(150);
    const seconds = await drive(shop.url, 2500);
    rmSync(join(folder, 'fault.json'));
    expect(total(seconds, 'sent')).toBeGreaterThan(60);
    expect(Math.min(...seconds.map(({ p50 }) => p50 ?? Infinity))).toBeGreaterThan(290);
  }, 20_000);

  test('counts a refused connection as failed and goes on', async () => {
    const seconds = await drive(`http://127.0.0.1:${await freePort()}`, 1500);
    expect(total(seconds, 'ok')).toBe(0);
    expect(total(seconds, 'failed')).toBe(total(seconds, 'sent'));
    expect(Object.keys(Object.assign({}, ...seconds.map(({ answers }) => answers)) as object)).toEqual([
      'ECONNREFUSED',
    ]);
  }, 20_000);
});

describe('the flows', () => {
  /** The product's own step against the real shop. */
  const play = (checkout: string) =>
    flows(
      {
        checkout,
        step: { index: 0 },
        list: { steps: [], environment: {} },
        service: { url: shop.url },
        signal: new AbortController().signal,
        progress: () => undefined,
      } as unknown as Work,
      { file: 'flows/orders.yaml' },
    );

  test.each([
    ['v1', 2],
    ['v2', 3],
  ])('of %s pass', async (release, number) => {
    expect(await play(join(root, 'releases', release))).toMatchObject({
      verdict: 'pass',
      figures: { flows: number },
    });
  });

  test('fail where two payments would both win', async () => {
    mkdirSync(join(folder, 'flows'));
    writeFileSync(
      join(folder, 'flows/orders.yaml'),
      read('releases/v2/flows/orders.yaml').replace('expect-each: [200, 409]', 'expect-each: [200, 200]'),
    );
    const { verdict, details } = await play(folder);
    expect(verdict).toBe('fail');
    expect(details).toEqual([
      expect.stringMatching(/^two-pay-at-once: POST \/orders\/\d+\/pay: .*200, 409, expected 200, 200$/),
    ]);
  });
});

describe('the monitor', () => {
  test('counts since a time, and all without one', async () => {
    const all = await monitor();
    expect(all).toMatchObject({ health_score: 100, pay_success_rate: 1, violations: 0 });
    expect(all['orders_created']).toBeGreaterThan(20_000);
    const later = await monitor(['--since', new Date(Date.now() + 1000).toISOString()]);
    expect(later).toMatchObject({ health_score: 100, orders_created: 0, violations: 0 });
  });

  test('reaches back to the newest 20 attempts to pay, and has no rate when there is none', async () => {
    const later = new Date(Date.now() + 1000).toISOString();
    await query(
      database,
      "insert into payments (order_id, outcome) select 1, 'paid' from generate_series(1, 20)",
    );
    expect(await monitor(['--since', later])).toMatchObject({
      pay_success_rate: 1,
      samples: { pay_success_rate: 20 },
    });
    await query(
      database,
      "update payments set at = at - interval '2 days' where at > now() - interval '1 day'",
    );
    expect(await monitor(['--since', later])).toMatchObject({
      pay_success_rate: null,
      samples: { pay_success_rate: 0 },
    });
  });

  test('sees failed payments and bad rows', async () => {
    const since = new Date(Date.now() - 60_000).toISOString();
    await query(
      database,
      `insert into payments (order_id, outcome, at) select 1, case
        when n > 1 then 'paid' end, clock_timestamp() - interval '20 seconds'
        from generate_series(1, 10) n;
      alter table orders drop constraint orders_total_non_negative;
      insert into orders (customer_id, status, total_cents) values (1, 'pending', -5)`,
    );
    expect(await monitor(['--since', since])).toMatchObject({
      pay_success_rate: 0.9,
      violations: 1,
      health_score: 90,
    });
    await query(
      database,
      `delete from orders where total_cents < 0; alter table orders add constraint
        orders_total_non_negative check (total_cents >= 0)`,
    );
  });

  test('refuses what it does not understand', async () => {
    await expect(monitor(['--since', 'yesterday'])).rejects.toMatchObject({ code: 1 });
    await expect(node('releases/v2/monitor.mjs', [], { DATABASE_URL: database })).rejects.toMatchObject({
      code: 1,
    });
  });
});

describe('the monitors', () => {
  test.each(['v1', 'v2'])('%s: one row of numbers each', async (release) => {
    const [counters] = await query(database, read(`releases/${release}/monitors/database.sql`));
    expect(Object.keys(counters!)).toEqual(['commits', 'rollbacks', 'deadlocks', 'stats_reset']);
    expect(Number(counters!['commits'])).toBeGreaterThan(100);
    const rows = await query(database, read(`releases/${release}/monitors/orders.sql`));
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ wrong_totals: '0' });
  });

  test('orders.sql finds a stuck payment and a total that is not the sum', async () => {
    const sql = read('releases/v2/monitors/orders.sql');
    const [before] = await query<{ stuck_payments: string }>(database, sql);
    await query(
      database,
      `insert into payments (order_id, at) values (1, clock_timestamp() - interval '1 minute');
      update orders set total_cents = total_cents + 1 where id = (select max(order_id) from order_items)`,
    );
    expect(await query(database, sql)).toEqual([
      { stuck_payments: String(Number(before!.stuck_payments) + 1), wrong_totals: '1' },
    ]);
  });
});
