// The schema, the seed, the ways up and down, and what each fault file does.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import {
  dumpSchema,
  FIXES,
  migrate,
  migrateUp,
  prepareDatabase,
  query,
  read,
  forbiddenWrites,
  rules,
} from './shop.ts';

const GUARDS = '0002_order_guards';
const TOTALS = '0003_order_totals';
const LEDGER = 'select what, by from audit.change_ledger order by id';
const WRONG_TOTALS = `select count(*)::int as n from orders o where total_cents <> (select sum(qty * price_cents)
  from order_items where order_id = o.id)`;

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
  await prepareDatabase(postgres, 'dirty', 'dirty');
  await prepareDatabase(postgres, 'clean', 'clean');
}, 60_000);
afterAll(() => postgres?.stop());

let copies = 0;
async function copy(of: 'dirty' | 'clean'): Promise<string> {
  const name = `${of}_${(copies += 1)}`;
  await postgres.createDatabase(name, of);
  return postgres.url(name);
}

describe('the seed', () => {
  test('has the announced rows, dirty ones included', async () => {
    const [counts] = await query(
      postgres.url('dirty'),
      `select
      (select count(*)::int from customers) as customers, (select count(*)::int
      from orders) as orders, (select count(*)::int from order_items) as items,
      (select count(*)::int from orders where total_cents < 0) as negative, (select count(*)::int
      from order_items where qty = 0) as zero,
      (select count(*)::int from orders
      where status not in ('pending', 'paid', 'shipped', 'cancelled')) as unknown`,
    );
    expect(counts).toEqual({
      customers: 2000,
      orders: 20_000,
      items: 50_000,
      negative: 40,
      zero: 25,
      unknown: 2,
    });
  });

  test('is the same on every machine', async () => {
    const [hash] = await query(
      postgres.url('dirty'),
      `select md5(
      (select string_agg(id || status || customer_id || total_cents || extract(epoch from created_at), ','
      order by id) from orders)
      || (select string_agg(order_id || sku || qty || '/' || price_cents, ','
      order by order_id, sku collate "C") from order_items)
      || (select string_agg(order_id || outcome || extract(epoch from at), ',' order by id)
      from payments)) as all`,
    );
    expect(hash, 'if the seed was changed on purpose, take the new hash').toEqual({
      all: 'c85a692b250abc3dec6e619783b55a07',
    });
  });

  test("the plan's rules find exactly the dirty rows", async () => {
    const found = await Promise.all(
      rules.map(async ({ rule, table, bad }) => [
        rule,
        (
          await query<{ n: number }>(
            postgres.url('dirty'),
            `select count(*)::int as n from ${table} where ${bad}`,
          )
        )[0]!.n,
      ]),
    );
    expect(found).toEqual([
      ['negative-total', 40],
      ['zero-qty', 25],
      ['unknown-status', 2],
    ]);
  });

  test('once put right, every total is the sum of its items', async () => {
    const url = await copy('dirty');
    expect(await query(url, WRONG_TOTALS)).toEqual([{ n: 65 }]);
    await query(url, FIXES);
    expect(await query(url, WRONG_TOTALS)).toEqual([{ n: 0 }]);
  });

  test('stops the guards as long as a dirty row is left', async () => {
    const url = await copy('dirty');
    await expect(migrate(url, 'up', GUARDS)).rejects.toMatchObject({
      code: '23514',
      constraint: 'orders_total_non_negative',
    });
    await query(url, FIXES);
    await expect(migrate(url, 'up', GUARDS)).rejects.toMatchObject({
      code: '23514',
      constraint: 'orders_status_known',
    });
    expect(await query(url, 'select version from schema_migrations')).toEqual([{ version: '0001_schema' }]);
  });
});

describe('up and down', () => {
  test('restores the schema exactly, step by step, and writes each change into the journal once', async () => {
    const url = await copy('clean');
    const states = [await dumpSchema(postgres, url)];
    for (const version of [GUARDS, TOTALS]) {
      await migrate(url, 'up', version);
      states.push(await dumpSchema(postgres, url));
    }
    expect(new Set(states).size).toBe(3);
    await migrate(url, 'down', TOTALS);
    expect(await dumpSchema(postgres, url)).toBe(states[1]);
    await migrate(url, 'down', GUARDS);
    expect(await dumpSchema(postgres, url)).toBe(states[0]);

    const by = 'orders-test';
    expect(await query(url, LEDGER)).toEqual([
      { what: 'up 0001_schema', by: 'orders-prepare' },
      { what: `up ${GUARDS}`, by },
      { what: `up ${TOTALS}`, by },
      { what: `down ${TOTALS}`, by },
      { what: `down ${GUARDS}`, by },
    ]);
    await migrateUp(url);
    expect(await dumpSchema(postgres, url)).toBe(states[2]);
  });

  test('0001 rolls back to nothing but the ledger and the journal', async () => {
    const url = await copy('clean');
    await migrate(url, 'down', '0001_schema', read('releases/v1/migrations/0001_schema.down.sql'));
    const tables = await query(
      url,
      "select schemaname || '.' || relname as name from pg_stat_user_tables order by 1",
    );
    expect(tables.map(({ name }) => name)).toEqual(['audit.change_ledger', 'public.schema_migrations']);
    expect((await query(url, LEDGER)).at(-1)).toMatchObject({ what: 'down 0001_schema' });
  });

  test('every guard refuses the write that the plan has for it, by name', async () => {
    const url = await copy('clean');
    await migrateUp(url);
    expect(forbiddenWrites).toHaveLength(5);
    for (const { table, set, by } of forbiddenWrites) {
      const assignments = Object.entries(set)
        .map(([column, value]) => `${column} = '${value}'`)
        .join(', ');
      await expect(
        query(url, `update ${table} set ${assignments} where ctid = (select min(ctid) from ${table})`),
      ).rejects.toMatchObject({
        code: '23514',
        constraint: by,
      });
    }
  });
});

describe('the faults', () => {
  const fault = (name: string) => read(`faults/${name}.sql`);

  test(
    'fails-half-way changes nothing when it runs in one transaction, and leaves a column when it does ' +
      'not',
    async () => {
      const url = await copy('clean');
      await migrate(url, 'up', GUARDS);
      const before = await dumpSchema(postgres, url);
      const broken = fault('0003_order_totals.fails-half-way');
      await expect(migrate(url, 'up', TOTALS, broken)).rejects.toMatchObject({ code: '42703' });
      expect(await dumpSchema(postgres, url)).toBe(before);
      await query(url, broken.slice(0, broken.indexOf('alter table orders add constraint')));
      expect(await dumpSchema(postgres, url)).not.toBe(before);
    },
  );

  test.each(['misses-a-constraint', 'guards-nothing'])(
    '0002 that %s succeeds, lets a quantity of 0 pass, and rolls back',
    async (name) => {
      const url = await copy('clean');
      const before = await dumpSchema(postgres, url);
      await migrate(url, 'up', GUARDS, fault(`${GUARDS}.${name}`));
      await migrate(url, 'up', TOTALS);
      const named = await query(
        url,
        "select conname from pg_constraint where conname = 'order_items_qty_positive'",
      );
      expect(named).toHaveLength(name === 'guards-nothing' ? 1 : 0);
      await query(url, 'begin; update order_items set qty = 0 where order_id = 1; rollback');
      await migrate(url, 'down', TOTALS);
      await migrate(url, 'down', GUARDS);
      expect(await dumpSchema(postgres, url)).toBe(before);
    },
  );

  test.each([
    ['leaves-an-index', /^CREATE INDEX orders_unpaid_idx/m],
    ['leaves-a-default', /total_cents bigint DEFAULT 0 NOT NULL/],
    ['leaves-a-grant', /^GRANT SELECT ON TABLE public\.orders TO PUBLIC/m],
  ])('0003 down that %s exits with 0 and leaves exactly that', async (name, differences) => {
    const url = await copy('clean');
    await migrate(url, 'up', GUARDS);
    const before = await dumpSchema(postgres, url);
    await migrate(url, 'up', TOTALS);
    await migrate(url, 'down', TOTALS, fault(`${TOTALS}.down.${name}`));
    const after = await dumpSchema(postgres, url);
    const lines = new Set(before.split('\n'));
    const added = after
      .split('\n')
      .filter((line) => !lines.has(line) && line !== '' && !line.startsWith('--'));
    expect(added).toHaveLength(1);
    expect(added[0]).toMatch(differences);
  });

  test('0003 down that leaves-three-rows restores the schema and leaves three customers', async () => {
    const url = await copy('clean');
    await migrate(url, 'up', GUARDS);
    const before = await dumpSchema(postgres, url);
    await migrate(url, 'up', TOTALS);
    await migrate(url, 'down', TOTALS, fault(`${TOTALS}.down.leaves-three-rows`));
    expect(await dumpSchema(postgres, url)).toBe(before);
    expect(await query(url, 'select count(*)::int as n from customers')).toEqual([{ n: 2003 }]);
  });
});
