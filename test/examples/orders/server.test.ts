// Both releases of the server, asked over HTTP: what they answer, refuse, survive, and how they end.
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { ask, migrate, migrateUp, node, prepareDatabase, query, root, type Shop, startShop } from './shop.ts';

const TEA = { sku: 'tea-01', qty: 2, price: 450 };
let postgres: TestPostgres;
let v1Database: string;
let v2Database: string;
let folder: string;
const shops: Shop[] = [];

async function cleanCopy(name: string): Promise<string> {
  await postgres.createDatabase(name, 'clean');
  return postgres.url(name);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'orders-'));
  postgres = await startPostgres();
  v1Database = await prepareDatabase(postgres, 'v1', 'dirty');
  await prepareDatabase(postgres, 'clean', 'clean');
  v2Database = await cleanCopy('v2');
  await migrateUp(v2Database);
}, 60_000);
afterEach(async () => {
  await Promise.all(shops.splice(0).map((shop) => shop.stop()));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await postgres?.stop();
});

async function open(
  release: 'v1' | 'v2',
  env: Record<string, string> = {},
  database = release === 'v1' ? v1Database : v2Database,
): Promise<Shop> {
  const shop = await startShop(release, database, env);
  shops.push(shop);
  return shop;
}

describe.each(['v1', 'v2'] as const)('%s', (release) => {
  test('lists, shows, creates, pays and ships', async () => {
    const shop = await open(release, { BUILD_ID: 'b-17' });
    expect(await shop.ask('GET', '/health')).toEqual({
      status: 200,
      json: { status: 'ok', database: 'ok', build: 'b-17' },
    });
    const created = await shop.ask('POST', '/orders', {
      customer: 1,
      items: [TEA, { sku: 'cup-03', qty: 1, price: 1290 }],
    });
    expect(created).toMatchObject({ status: 201, json: { total: 2190 } });
    const { id } = created.json;
    const list = await shop.ask('GET', '/orders');
    expect(list.json.orders).toHaveLength(20);
    expect(list.json.orders[0]).toMatchObject({ id, customer: 1, status: 'pending', total: 2190 });
    expect((await shop.ask('GET', `/orders/${id}`)).json.items).toEqual([
      { sku: 'cup-03', qty: 1, price: 1290 },
      TEA,
    ]);
    expect(await shop.ask('POST', `/orders/${id}/ship`)).toMatchObject({
      status: 409,
      json: { status: 'pending' },
    });
    expect(await shop.ask('POST', `/orders/${id}/pay`)).toEqual({
      status: 200,
      json: { id, status: 'paid' },
    });
    expect(await shop.ask('POST', `/orders/${id}/pay`)).toMatchObject({
      status: 409,
      json: { status: 'paid' },
    });
    expect(await shop.ask('POST', `/orders/${id}/ship`)).toEqual({
      status: 200,
      json: { id, status: 'shipped' },
    });
  });

  test('lets one of many payments at once win', async () => {
    const shop = await open(release);
    for (let round = 0; round < 5; round += 1) {
      const { id } = (await shop.ask('POST', '/orders', { customer: 2, items: [TEA] })).json;
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => shop.ask('POST', `/orders/${id}/pay`)),
      );
      expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([
        200,
        ...Array<number>(7).fill(409),
      ]);
      const outcomes = await query(
        release === 'v1' ? v1Database : v2Database,
        `select outcome, count(*)::int as n from payments where order_id = ${id} group by 1 order by 1`,
      );
      expect(outcomes).toEqual([
        { outcome: 'paid', n: 1 },
        { outcome: 'refused', n: 7 },
      ]);
    }
  });

  test('names what refused a request', async () => {
    const shop = await open(release);
    expect(await shop.ask('POST', '/orders', { customer: 999_999, items: [TEA] })).toMatchObject({
      status: 400,
      json: { constraint: 'orders_customer_id_fkey' },
    });
    expect(await shop.ask('POST', '/orders', { customer: 1, items: [TEA, TEA] })).toMatchObject({
      status: 400,
      json: { constraint: 'order_items_pkey' },
    });
    expect(
      await shop.ask('POST', '/orders', { customer: 1, items: [{ ...TEA, qty: 2 ** 40 }] }),
    ).toMatchObject({
      status: 400,
      json: { code: '22003' },
    });
    expect(await shop.ask('POST', '/orders', { customer: 1, items: [] })).toMatchObject({ status: 400 });
    for (const path of ['/orders/99999999', '/orders/one', '/nowhere', '/orders/1/2/3'])
      expect(await shop.ask('GET', path)).toMatchObject({ status: 404 });
    expect(await shop.ask('POST', '/orders/99999999/pay')).toMatchObject({ status: 404 });
    const broken = await fetch(`${shop.url}/orders`, { method: 'POST', body: '{' });
    expect(broken.status).toBe(400);
    const long = await fetch(`${shop.url}/orders`, { method: 'POST', body: `"${'x'.repeat(70_000)}"` });
    expect(long.status).toBe(413);
  });

  test('answers 503 outside while the maintenance flag is there, and serves inside', async () => {
    const flag = join(folder, `flag-${release}`);
    const shop = await open(release, { MAINTENANCE_FLAG: flag });
    expect((await shop.ask('GET', '/orders')).status).toBe(200);
    writeFileSync(flag, '');
    for (const path of ['/orders', '/health', '/nowhere'])
      expect(await shop.ask('GET', path)).toMatchObject({ status: 503, json: { status: 'maintenance' } });
    expect(await ask(shop.insideUrl, 'GET', '/health')).toMatchObject({
      status: 200,
      json: { database: 'ok' },
    });
    rmSync(flag);
    expect((await shop.ask('GET', '/health')).status).toBe(200);
  });

  test('obeys its fault switch within 200 ms, on /health and /orders', async () => {
    const fault = join(folder, `fault-${release}.json`);
    const shop = await open(release, { ORDERS_FAULT: fault });
    expect((await shop.ask('GET', '/health')).status).toBe(200);
    writeFileSync(fault, '{"errorRate": 1}');
    await sleep(200);
    for (const path of ['/health', '/orders']) expect((await shop.ask('GET', path)).status).toBe(500);
    writeFileSync(fault, '{"errorRate": 0.5}');
    await sleep(200);
    const statuses = await Promise.all(
      Array.from({ length: 60 }, async () => (await shop.ask('GET', '/health')).status),
    );
    expect(new Set(statuses)).toEqual(new Set([200, 500]));
    writeFileSync(fault, '{"slowMs": 300}');
    await sleep(200);
    const started = performance.now();
    expect((await shop.ask('GET', '/health')).status).toBe(200);
    expect(performance.now() - started).toBeGreaterThan(295);
    rmSync(fault);
    await sleep(200);
    expect((await shop.ask('GET', '/health')).status).toBe(200);
  });
});

describe('discounts', () => {
  test('v2 takes them within the total and checks a stated total', async () => {
    const shop = await open('v2');
    const created = await shop.ask('POST', '/orders', {
      customer: 3,
      items: [TEA],
      discount: 90,
      total: 900,
    });
    expect(created).toMatchObject({ status: 201, json: { total: 900, discount: 90, due: 810 } });
    expect(await shop.ask('GET', `/orders/${created.json.id}`)).toMatchObject({
      json: { discount: 90, due: 810 },
    });
    for (const discount of [901, -1])
      expect(await shop.ask('POST', '/orders', { customer: 3, items: [TEA], discount })).toMatchObject({
        status: 400,
        json: { constraint: 'orders_discount_within_total' },
      });
    expect(await shop.ask('POST', '/orders', { customer: 3, items: [TEA], total: 899 })).toMatchObject({
      status: 400,
      json: { total: 900 },
    });
    expect(await shop.ask('POST', '/orders', { customer: 3, items: [{ ...TEA, qty: 0 }] })).toMatchObject({
      status: 400,
      json: { constraint: 'order_items_qty_positive' },
    });
  });

  test.each([
    ['v1', 'the new schema'],
    ['v2', 'the old schema'],
  ] as const)(
    '%s serves on %s',
    async (release, schema) => {
      const database = await cleanCopy(`${release}_elsewhere`);
      if (schema === 'the new schema') await migrateUp(database);
      const shop = await open(release, {}, database);
      const created = await shop.ask('POST', '/orders', { customer: 3, items: [TEA] });
      expect(created).toMatchObject({ status: 201, json: { total: 900 } });
      for (const path of ['/orders', `/orders/${created.json.id}`])
        expect((await shop.ask('GET', path)).status).toBe(200);
      expect((await shop.ask('POST', `/orders/${created.json.id}/pay`)).status).toBe(200);
      // and while the schema changes under it
      await (schema === 'the old schema'
        ? migrateUp(database)
        : migrate(database, 'down', '0003_order_totals'));
      for (const path of ['/orders', `/orders/${created.json.id}`])
        expect((await shop.ask('GET', path)).status).toBe(200);
      expect((await shop.ask('POST', '/orders', { customer: 3, items: [TEA] })).status).toBe(201);
    },
    30_000,
  );
});

describe('the process', () => {
  test('runs from a checkout far from node_modules, as Soakgate starts it', async () => {
    const checkout = join(folder, 'releases/0123abcd');
    cpSync(join(root, 'releases/v2'), checkout, { recursive: true });
    writeFileSync(join(checkout, '.soakgate-build'), '0123abcd\n');
    symlinkSync('releases/0123abcd', join(folder, 'current'));
    const env = {
      ORDERS_MODULES: join(root, '../..'),
      MAINTENANCE_FLAG: '../../maintenance.flag',
      BUILD_ID: 'not asked',
    };
    const shop = await startShop('v2', v2Database, env, join(folder, 'current'));
    shops.push(shop);
    expect(await shop.ask('GET', '/health')).toMatchObject({ status: 200, json: { build: '0123abcd' } });
    writeFileSync(join(folder, 'maintenance.flag'), '');
    expect((await shop.ask('GET', '/health')).status).toBe(503);
  });

  test('finds pg where ORDERS_MODULES says, and only there', async () => {
    const port = new URL((await open('v1')).url).port; // taken: a server that found pg ends as well
    const start = (modules: string) =>
      node('releases/v2/server.mjs', ['--port', port], { DATABASE_URL: v2Database, ORDERS_MODULES: modules });
    await expect(start(folder)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("Cannot find module 'pg'") as string,
    });
    await expect(start(join(root, '../..'))).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('EADDRINUSE') as string,
    });
  });

  test('ends when a port is taken or a setting is missing', async () => {
    const shop = await open('v1');
    const port = new URL(shop.url).port;
    await expect(
      node('releases/v1/server.mjs', ['--port', port], { DATABASE_URL: v1Database }),
    ).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('EADDRINUSE') as string,
    });
    await expect(
      node('releases/v1/server.mjs', ['--port', port], { DATABASE_URL: '' }),
    ).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('DATABASE_URL is not set') as string,
    });
    await expect(
      node('releases/v1/server.mjs', [], { DATABASE_URL: v1Database, PORT: '' }),
    ).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('PORT is not a port') as string,
    });
  });

  test('answers what it has begun before it ends with 0', async () => {
    const fault = join(folder, 'slow.json');
    writeFileSync(fault, '{"slowMs": 400}');
    const shop = await open('v2', { ORDERS_FAULT: fault });
    const asked = shop.ask('GET', '/orders');
    await sleep(100);
    const ended = shop.stop();
    expect((await asked).status).toBe(200);
    expect(await ended).toBe(0);
  });

  test('ends at once under load: a kept-alive client cannot hold it open', async () => {
    const shop = await open('v1');
    const agent = new Agent({ keepAlive: true });
    const answered = () =>
      new Promise((resolve, reject) => {
        request(`${shop.url}/health`, { agent }, (response) => response.resume().once('end', resolve))
          .once('error', reject)
          .end();
      });
    const clients = Array.from({ length: 8 }, async () => {
      for (;;) await answered();
    });
    const refused = Promise.allSettled(clients);
    await sleep(300);
    // Held open it would end with 1 after its grace. Newer Nodes close such connections by themselves, Node
    // 20 does not.
    expect(await shop.stop()).toBe(0);
    await refused;
  });

  test('says 503 while the database is gone, and goes on when it is back, under its own session name', async () => {
    const database = await cleanCopy('swapped');
    const shop = await open('v1', { PGAPPNAME: 'somebody-else' }, database);
    expect((await shop.ask('GET', '/orders')).status).toBe(200);
    expect(
      await query(
        postgres.url('postgres'),
        "select distinct application_name from pg_stat_activity where datname = 'swapped'",
      ),
    ).toEqual([{ application_name: 'orders' }]);
    await query(
      postgres.url('postgres'),
      `alter database swapped allow_connections false; select pg_terminate_backend(pid)
        from pg_stat_activity where datname = 'swapped'`,
    );
    await query(postgres.url('postgres'), 'alter database swapped rename to away');
    expect(await shop.ask('GET', '/health')).toMatchObject({
      status: 503,
      json: { status: 'down', database: 'down' },
    });
    expect((await shop.ask('GET', '/orders')).status).toBe(503);
    await query(
      postgres.url('postgres'),
      'alter database away rename to swapped; alter database swapped allow_connections true',
    );
    expect((await shop.ask('GET', '/health')).status).toBe(200);
    expect((await shop.ask('GET', '/orders')).status).toBe(200);
  }, 30_000);
});
