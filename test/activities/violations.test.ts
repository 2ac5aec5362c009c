// Rows that would violate, on a real server: the forecast says of every constraint what PostgreSQL says when
// it is added.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countViolations } from '../../activities/data/violations.ts';
import {
  BACKUP,
  type Bench,
  DATA,
  type HandsSpec,
  MIGRATE,
  permit,
  PREVIEW,
  query,
  raiseBench,
} from '../support/hands.ts';

let bench: Bench;
beforeAll(async () => void (bench = await raiseBench()));
afterAll(() => bench?.stop());

async function preview(spec: Partial<HandsSpec> = {}) {
  const hands = await permit(bench, { steps: BACKUP + PREVIEW + MIGRATE, ...spec });
  return hands.run('preview');
}
/** SQL before the one that a file of the release has. */
const prepend = (name: string, sql: string) => async (checkout: string) => {
  const file = join(checkout, 'migrations', name);
  await writeFile(file, `${sql}\n${await readFile(file, 'utf8')}`);
};

describe('the receipt of the preview', () => {
  test('names every constraint that rows would violate, first of all, with their keys', async () => {
    const receipt = await preview();
    expect(receipt).toMatchObject({ verdict: 'fail', figures: { violating: 7, notForecast: 1 } });
    expect(receipt.details?.slice(0, 2)).toEqual([
      'would violate orders_total_non_negative on public.orders: 5 rows (id 10, 20, 30, 40, 50)',
      'would violate order_items_qty_positive on public.order_items: 2 rows (order_id/sku (25,sku), (50,sku))',
    ]);
    expect(receipt.details).toContain('asked for 3 added constraints: 2 are violated by rows of the copy');
    expect(receipt.details).toContain(
      'not forecast orders_discount_within_total on orders: its column does not exist yet',
    );
    expect(receipt.details?.join('\n')).toContain('SQLSTATE 23514');
  });

  test('rows that a later step mends are counted as mended', async () => {
    const receipt = await preview({ steps: BACKUP + PREVIEW + DATA + MIGRATE });
    expect(receipt).toMatchObject({ verdict: 'pass', figures: { violating: 0, notForecast: 1 } });
    expect(receipt.details).toContain('asked for 3 added constraints: 0 are violated by rows of the copy');
  });

  test('rows that the migrations themselves mend are told, and are no reason to stop', async () => {
    const mend = `update orders set total_cents = 0 where total_cents < 0; update order_items set qty = 1
        where qty = 0;`;
    const receipt = await preview({
      edit: prepend('0002_order_guards.sql', mend),
      steps: (BACKUP + PREVIEW + MIGRATE).replace(
        'lint: error, rehearse: up-down-up',
        'lint: skip, rehearse: up, moves: [orders, order_items]',
      ),
    });
    expect(receipt).toMatchObject({ verdict: 'pass', figures: { violating: 0 } });
    expect(receipt.details).toContain(
      'violate now, but the migrations may change rows before they add it: order_items_qty_positive ' +
        'on public.order_items: 2 rows (order_id/sku (25,sku), (50,sku))',
    );
  });

  test('a way up that PostgreSQL lets pass fails where rows violate what it says', async () => {
    const skipped = 'create unique index if not exists orders_customer_idx on orders (customer_id);';
    const receipt = await preview({
      edit: prepend('0002_order_guards.sql', skipped),
      steps: (BACKUP + PREVIEW + DATA + MIGRATE).replace(
        'lint: error, rehearse: up-down-up',
        'lint: skip, rehearse: up',
      ),
    });
    expect(receipt).toMatchObject({
      verdict: 'fail',
      summary: expect.stringContaining('the rehearsal found a problem'),
      figures: { violating: 50 },
    });
    expect(receipt.details?.[0]).toBe(
      'would violate orders_customer_idx on public.orders: 50 rows (id 1, 2, 3, 4, 5, …)',
    );
  });
});

const TABLES = `
  create table parents (id int primary key, code text);
  insert into parents values (1, 'a'), (2, 'b');
  create schema "Other shop";
  create table "Other shop"."Things" ("select" int primary key, "Qty" int, name text, parent_id int, self
  int, note text);
  insert into "Other shop"."Things" values
    (1, 5, 'x', 1, null, 'a'), (2, -5, 'x', 2, 1, 'b'), (3, null, 'X', 9, 2, 'it''s'), (4, 1, null, null, 77,
    'd'), (5, 1, null, 1, 5, 'e');
  create table keyless (n int);
  insert into keyless values (1), (1), (null);`;
const THINGS = '"Other shop"."Things"';

describe('each kind says what PostgreSQL says when it is added', () => {
  let url = '';
  const count = (sql: string, timeoutMs?: number) =>
    countViolations(
      { tag: 'test', signal: new AbortController().signal, progress: () => undefined },
      url,
      sql,
      timeoutMs,
    );
  beforeAll(async () => {
    await bench.postgres.createDatabase('kinds');
    url = bench.postgres.url('kinds');
    await query(url, TABLES);
  });

  test.each([
    [`alter table ${THINGS} add constraint "Qty ok" check ("Qty" > 0 /* ) */)`, 'Qty ok', '1 row (select 2)'],
    [`alter table ${THINGS} add check ("Things"."Qty" > -9 and note <> ')' -- )\n)`, '', ''],
    [`alter table ${THINGS} add constraint c check (null)`, '', ''],
    [`alter table ${THINGS} add constraint c unique (name)`, 'c', '2 rows (select 1, 2)'],
    [`alter table ${THINGS} add constraint c unique (name, note)`, '', ''],
    [
      `alter table ${THINGS} add constraint c unique nulls not distinct (name)`,
      'c',
      '4 rows (select 1, 2, 4, 5)',
    ],
    [
      `create unique index c on ${THINGS} (lower(name) text_pattern_ops desc)`,
      'c',
      '3 rows (select 1, 2, 3)',
    ],
    [`create unique index c on ${THINGS} (name) where "Qty" > 0`, '', ''],
    [`create unique index c on ${THINGS} (("Qty" * 2), parent_id) where note <> 'e'`, '', ''],
    [`create unique index on ${THINGS} ("Qty")`, 'an unnamed unique index', '2 rows (select 4, 5)'],
    [
      `alter table ${THINGS} add constraint c foreign key (parent_id) references parents (id)`,
      'c',
      '1 row (select 3)',
    ],
    [
      `alter table ${THINGS} add constraint c foreign key (self) references ${THINGS} ("select")
        initially deferred`,
      'c',
      '1 row (select 4)',
    ],
    [`alter table ${THINGS} alter column name set not null`, 'name not null', '2 rows (select 4, 5)'],
    [`alter table ${THINGS} alter note set not null`, '', ''],
    ['alter table only keyless add constraint c primary key (n)', 'c', '3 rows (no primary key)'],
    ['alter table keyless add constraint c unique (n)', 'c', '2 rows (no primary key)'],
    [
      'alter table parents add constraint c unique (code), add constraint d check (id < 2)',
      'd',
      '1 row (id 2)',
    ],
  ])('%s', async (sql, constraint, found) => {
    const { would, figures } = await count(sql);
    const place = sql.includes('keyless')
      ? 'public.keyless'
      : sql.includes('parents add')
        ? 'public.parents'
        : 'Other shop.Things';
    expect(would).toEqual(constraint ? [`would violate ${constraint} on ${place}: ${found}`] : []);
    expect(figures).toEqual({ violating: constraint ? Number.parseInt(found) : 0, notForecast: 0 });
    const said = await query(url, `begin; ${sql}; rollback`).then(
      () => 'taken',
      (error: { code: string }) => error.code,
    );
    expect(said, 'and PostgreSQL').toMatch(constraint ? /^23/u : /^taken$/u);
  });

  test('what cannot be asked leaves the others askable', async () => {
    const { would, notes, figures } = await count(
      `alter table parents add constraint a check (colour > 0); alter table parents add
        constraint b check (code > 1);
       alter table nowhere add constraint c unique (n); alter table parents add constraint d foreign key (id)
       references nowhere (id);
       alter table parents add constraint e check (id = 1)`,
    );
    expect(would).toEqual(['would violate e on public.parents: 1 row (id 2)']);
    expect(notes).toEqual([
      'asked for 1 added constraints: 1 are violated by rows of the copy',
      'not forecast a on parents: its column does not exist yet',
      'not forecast b on parents: operator does not exist: text > integer (42883)',
      'not forecast c on nowhere: its table does not exist yet',
      'not forecast d on parents: its table does not exist yet',
    ]);
    expect(figures).toEqual({ violating: 1, notForecast: 4 });
  });

  test('asking writes nothing, and ends', async () => {
    await query(
      url,
      `create function spoil() returns boolean language sql as $$ insert into keyless values (7)
        returning true $$`,
    );
    const { notes } = await count(`alter table parents add constraint a check (spoil())`);
    expect(notes).toEqual([
      'not forecast a on parents: cannot execute INSERT in a read-only transaction (25006)',
    ]);
    expect(await query(url, 'select n from keyless where n = 7')).toEqual([]);
    const slow = await count(`alter table parents add constraint a check (pg_sleep(20) is null)`, 200);
    expect(slow.notes).toEqual(['not forecast a on parents: counting it took too long']);
  });

  test('names mean what they mean to the role that migrates', async () => {
    await query(
      url,
      `create schema mine; create table mine.parents (id int primary key); insert into
        mine.parents values (8)`,
    );
    await query(url, `alter role current_user in database kinds set search_path = mine`);
    try {
      expect((await count('alter table parents add check (id < 8)')).would).toEqual([
        'would violate an unnamed check on mine.parents: 1 row (id 8)',
      ]);
    } finally {
      await query(url, `alter role current_user in database kinds reset search_path`);
    }
  });
});
