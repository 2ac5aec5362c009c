// Data fixes on tables as they are in the field: exactly the rows that a rule finds are changed, and what is put
// back is what was there. The judge reads rows as PostgreSQL prints them and shares nothing with the product.
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Comparison } from '../../src/core/activities.ts';
import { BACKUP, type Bench, failureOf, type Hands, MIGRATE, permit, raiseBench } from '../support/hands.ts';

let bench: Bench;
beforeAll(async () => void (bench = await raiseBench()));
afterAll(() => bench?.stop());

interface Rule {
  readonly table: string;
  readonly bad: string;
  readonly fix?: string;
}

async function given(sql: string, rules: readonly Rule[] | Rule): Promise<Hands> {
  const lines = [rules].flat().map(({ table, bad, fix }, at) => {
    const more = fix === undefined ? '' : `, fix: ${JSON.stringify(fix)}`;
    return `        - { rule: rule-${at}, table: ${table}, bad: ${JSON.stringify(bad)}${more} }\n`;
  });
  const hands = await permit(bench, {
    steps: `${BACKUP}  - step: data\n    data:\n      rules:\n${lines.join('')}${MIGRATE}`,
  });
  await hands.sql(sql);
  await hands.run('backup');
  return hands;
}

/** md5 of all rows of a table as text, in the order of that text. */
const md5 = async (hands: Hands, table: string, columns = '*') =>
  (
    await hands.sql<{ md5: string }>(
      `select md5(string_agg(x.r, chr(10) order by x.r collate "C")) as md5
        from (select row(${columns === '*' ? 'judged.*' : columns})::text as r from ${table} as judged) x`,
    )
  )[0]!.md5;
const values = async (hands: Hands, sql: string) =>
  (await hands.sql<{ v: string }>(sql)).map(({ v }) => v).join(' ');
const compare = (hands: Hands) =>
  hands.call<Comparison>('compareRollback', { rollout: hands.rollout, ran: [] });

describe('only rows that the rule names', () => {
  test('partitions: a place is unique only within one of them', async () => {
    const hands = await given(
      `create table ev (id int, day int, v text, primary key (id, day)) partition by range (day);
       create table ev_a partition of ev for values from (0) to (10);
       create table ev_b partition of ev for values from (10) to (20);
       insert into ev select n, 1, 'old' from generate_series(1, 5) n;
       insert into ev select n, 11, 'good ' || n from generate_series(1, 10) n`,
      { table: 'ev', bad: "v = 'old'", fix: "v = 'new'" },
    );
    const before = await md5(hands, 'ev');
    const good = await md5(hands, 'ev_b');
    expect(await hands.run('data: fix')).toMatchObject({ verdict: 'pass', figures: { fixed: 5 } });
    expect(await md5(hands, 'ev_b')).toBe(good);
    expect(await values(hands, 'select distinct v from ev_a')).toBe('new');
    expect(await hands.undo('data: fix')).toMatchObject({ done: true, summary: '5 of 5 rows put back' });
    expect(await md5(hands, 'ev')).toBe(before);
  });

  test('partitions: a row that its fix moves to another one is found there again', async () => {
    const hands = await given(
      `create table ev (id int, day int, v text, primary key (id, day)) partition by range (day);
       create table ev_a partition of ev for values from (0) to (10);
       create table ev_b partition of ev for values from (10) to (20);
       insert into ev select n, 1, 'late' from generate_series(1, 5) n`,
      { table: 'ev', bad: "v = 'late' and day < 10", fix: 'day = day + 10' },
    );
    const before = await md5(hands, 'ev_a');
    expect(await hands.run('data: fix')).toMatchObject({ verdict: 'pass', figures: { fixed: 5 } });
    expect(await values(hands, 'select count(*) as v from ev_b')).toBe('5');
    expect(await hands.undo('data: fix')).toMatchObject({ done: true, summary: '5 of 5 rows put back' });
    expect(await md5(hands, 'ev_a')).toBe(before);
  });

  test('heirs: a key that the parent and its heir both hold is two rows', async () => {
    const hands = await given(
      `create table mother (id int primary key, v text);
       create table child (primary key (id)) inherits (mother);
       insert into mother values (1, 'old'), (2, 'good'); insert into child values (1, 'good'), (2, 'old')`,
      { table: 'mother', bad: "v = 'old'", fix: "v = 'new'" },
    );
    const before = await md5(hands, 'mother', 'tableoid, judged.*');
    expect(await hands.run('data: fix')).toMatchObject({ verdict: 'pass', figures: { fixed: 2 } });
    expect(await values(hands, 'select id || v as v from only mother order by id')).toBe('1new 2good');
    expect(await values(hands, 'select id || v as v from child order by id')).toBe('1good 2new');
    expect(await hands.undo('data: fix')).toMatchObject({ done: true, summary: '2 of 2 rows put back' });
    expect(await md5(hands, 'mother', 'tableoid, judged.*')).toBe(before);
  });

  test.each(['t', 'i', 's', 'key', 'before', 'after', 'place', 'id', 'found', 'value', 'part'])(
    'a column called %s hides nothing',
    async (name) => {
      const hands = await given(
        `create table readings (no int primary key, "${name}" int, v text);
         insert into readings select n, n % 3, 'old' from generate_series(1, 9) n`,
        { table: 'readings', bad: `"${name}" = 1 and v = 'old'`, fix: `v = 'new ' || "${name}"` },
      );
      const before = await md5(hands, 'readings');
      expect(await hands.run('data: fix')).toMatchObject({ verdict: 'pass', figures: { fixed: 3 } });
      expect(await values(hands, 'select v from readings where no = 4')).toBe('new 1');
      expect(await hands.undo('data: fix')).toMatchObject({ done: true, summary: '3 of 3 rows put back' });
      expect(await md5(hands, 'readings')).toBe(before);
      expect(await compare(hands)).toMatchObject({ equal: true, writtenSince: [] });
    },
  );

  test('keys of several columns whose texts run into each other', async () => {
    const hands = await given(
      `create table pairs (a text, b text, v text, primary key (a, b));
       insert into pairs values ('x/y', 'z', 'one'), ('x', 'y/z', 'two'), ('(x,y)', 'z"', 'three')`,
      { table: 'pairs', bad: "v in ('one', 'two', 'three')", fix: "v = 'fixed'" },
    );
    const before = await md5(hands, 'pairs');
    expect(await hands.run('data: fix')).toMatchObject({ verdict: 'pass', figures: { fixed: 3 } });
    expect(await hands.undo('data: fix')).toMatchObject({ done: true, summary: '3 of 3 rows put back' });
    expect(await md5(hands, 'pairs')).toBe(before);
    expect(await compare(hands)).toMatchObject({ equal: true, writtenSince: [] });
  });

  test.each([
    ['array', 'k int[] primary key', 'array[n, null, n % 7]'],
    [
      'moment and text',
      'k timestamptz, l text, primary key (l, k)',
      "'epoch'::timestamptz + n * interval '1 microsecond', 'o''x,' || n % 3",
    ],
    ['number', 'k numeric primary key', 'n + 0.10'],
    ['letters', 'k character(6) primary key', 'n::text'],
  ])('more rows than one set, by a key of the sort %s', async (_, columns, values) => {
    const hands = await given(
      `create table odd (${columns}, v int not null);
       insert into odd select ${values}, n % 3 from generate_series(1, 31000) n`,
      { table: 'odd', bad: 'v = 1', fix: 'v = 3' },
    );
    const before = await md5(hands, 'odd');
    expect(await hands.run('data: fix')).toMatchObject({ verdict: 'pass', figures: { fixed: 10_334 } });
    expect(await hands.sql('select v, count(*) from odd group by v order by v')).toEqual([
      { v: 0, count: '10333' },
      { v: 2, count: '10333' },
      { v: 3, count: '10334' },
    ]);
    expect(await hands.undo('data: fix')).toMatchObject({
      done: true,
      summary: '10334 of 10334 rows put back',
    });
    expect(await md5(hands, 'odd')).toBe(before);
    await hands.sql('update odd set v = 9 where ctid in (select ctid from odd limit 1)');
    expect(await compare(hands)).toMatchObject({
      equal: true,
      writtenSince: [expect.stringContaining('odd')],
    });
  });

  test("the application's own search path is the one that rules see", async () => {
    const hands = await given(
      `create schema biz; create table biz.orders (id int primary key, v text);
       insert into biz.orders values (1, 'old');
       create function biz.is_old(text) returns boolean language sql immutable as $$ select $1 = 'old' $$;
       do $$ begin execute format('alter database %I set search_path = biz, public', current_database()); end $$`,
      { table: 'orders', bad: 'is_old(v)', fix: "v = 'new'" },
    );
    expect(await hands.run('data')).toMatchObject({ verdict: 'pass', figures: { findings: 1 } });
    expect(await hands.run('data: fix')).toMatchObject({ verdict: 'pass', figures: { fixed: 1 } });
    expect(await values(hands, 'select v from biz.orders')).toBe('new');
  });

  test('more rows than one stretch, and a busy application: each exactly once', async () => {
    const hands = await given(
      `create table busy (id bigint primary key, v int, n int default 0);
       insert into busy (id, v) select n, n % 20 from generate_series(1, 50000) n`,
      { table: 'busy', bad: 'v = 0', fix: 'v = 100' },
    );
    let stop = false;
    const application = (async () => {
      for (let at = 0; !stop; at = (at + 7919) % 50_000)
        await hands.sql(`update busy set n = n + 1 where id between ${at} and ${at + 40}`);
    })();
    const receipt = await hands.run('data: fix');
    stop = true;
    await application;
    expect(receipt, receipt.summary).toMatchObject({ verdict: 'pass', figures: { fixed: 2_500 } });
    expect(await values(hands, 'select count(*) filter (where v = 0) as v from busy')).toBe('0');
    expect(await values(hands, 'select count(*) filter (where v = 100) as v from busy')).toBe('2500');
    const undone = await hands.undo('data: fix');
    expect(undone).toMatchObject({ done: true });
    const left = Number(/(\d+) left/u.exec(undone.summary)?.[1] ?? 0);
    expect(await values(hands, 'select count(*) filter (where v = 100) as v from busy')).toBe(String(left));
  });
});

describe('SQL in a rule is what it claims to be', () => {
  const items = `create table items (id int primary key, qty int);
    insert into items select n, case when n <= 5 then 0 else n end from generate_series(1, 10000) n`;

  test('a comment ends at the end of its line', async () => {
    const hands = await given(items, {
      table: 'items',
      bad: 'qty = 0 -- lost',
      fix: 'qty = 1 -- the import lost it',
    });
    expect(await hands.run('data: fix')).toMatchObject({ verdict: 'pass', figures: { fixed: 5 } });
    expect(await values(hands, 'select count(*) filter (where qty = 1) as v from items')).toBe('5');
  });

  test.each<[string, Partial<Rule>]>([
    ['a fix with a condition of its own', { fix: 'qty = 1 where true' }],
    ['a fix with a table of its own', { fix: 'qty = o.id from orders o' }],
    ['a fix that is two statements', { fix: 'qty = 1; delete from items' }],
    ['a fix whose comment does not end', { fix: 'qty = 1 /*' }],
    ['a condition that closes our parenthesis', { bad: 'qty = 0) or (true' }],
    ['a condition that is two', { bad: 'qty = 0, true' }],
    ['a condition with another statement', { bad: 'qty = 0; delete from items' }],
    ['a condition that is not true or false', { bad: 'qty' }],
    ['a fix of a column that is not there', { fix: 'quantity = 1' }],
  ])('%s: an error, and nothing is changed', async (_name, part) => {
    const hands = await given(items, { table: 'items', bad: 'qty = 0', fix: 'qty = 1', ...part });
    const before = await md5(hands, 'items');
    expect(await hands.run('data: fix')).toMatchObject({ verdict: 'error', figures: { fixed: 0 } });
    expect(await md5(hands, 'items')).toBe(before);
  });

  test.each<[string, string, Rule, string]>([
    [
      'no primary key',
      "create table heap (v text); insert into heap values ('old')",
      { table: 'heap', bad: "v = 'old'", fix: "v = 'new'" },
      'heap has no primary key',
    ],
    [
      'a view',
      'create view seen as select * from orders',
      { table: 'seen', bad: 'total_cents < 0', fix: 'total_cents = 0' },
      'seen is a view',
    ],
    ['no table', 'select 1', { table: 'nowhere', bad: 'true', fix: 'v = 1' }, 'there is no table nowhere'],
  ])('%s: refused before anything is changed', async (_name, sql, rule, why) => {
    const hands = await given(sql, rule);
    expect(await hands.run('data: fix')).toMatchObject({
      verdict: 'error',
      summary: expect.stringContaining(why),
    });
  });
});

describe('a fix that does not do what it says is taken back whole', () => {
  const items = `create table items (id int primary key, qty int, v text);
    insert into items select n, 0, 'row ' || n from generate_series(1, 30) n`;
  const rule = { table: 'items', bad: 'qty = 0', fix: 'qty = 1' };

  test.each<[string, string, Partial<Rule>, string]>([
    ['it does not cure', '', { fix: "v = 'tried'" }, '30 of 30 rows would still be bad after the fix'],
    [
      'a trigger keeps rows away',
      `create function keep() returns trigger language plpgsql as
         $$ begin if new.id > 10 then return null; end if; return new; end $$;
       create trigger keep before update on items for each row execute function keep()`,
      {},
      '30 rows found, 10 changed',
    ],
    [
      'a trigger writes to other rows of the table',
      `insert into items values (100, 5, 'other');
       create function other() returns trigger language plpgsql as
         $$ begin if new.id < 100 then update items set v = 'touched' where id = 100; end if; return null; end $$;
       create trigger other after update on items for each row execute function other()`,
      {},
      '60 rows of the table would change',
    ],
  ])('%s', async (_name, sql, part, why) => {
    const hands = await given(`${items}; ${sql}`, { ...rule, ...part });
    const before = await md5(hands, 'items');
    expect(await hands.run('data: fix')).toMatchObject({
      verdict: 'error',
      summary: expect.stringContaining(why),
      figures: { fixed: 0 },
    });
    expect(await md5(hands, 'items')).toBe(before);
    expect(await hands.undo('data: fix')).toMatchObject({ done: true, summary: 'no row was fixed' });
  });

  test('what a trigger writes to another table is named', async () => {
    const hands = await given(
      `${items}; create table history (id serial primary key, item int);
       create function note() returns trigger language plpgsql as
         $$ begin insert into history (item) values (new.id); return null; end $$;
       create trigger note after update on items for each row execute function note()`,
      rule,
    );
    expect(await hands.run('data: fix')).toMatchObject({
      verdict: 'pass',
      details: expect.arrayContaining(['rule-0: triggers or cascades also wrote 30 rows of public.history']),
    });
  });
});

describe('what is put back is what was there', () => {
  test('values of every sort, to the last digit', async () => {
    const hands = await given(
      `create type mood as enum ('sad', 'glad'); create type pair as (a int, b text);
       create table kept (id bigint primary key, big numeric(40,12), snow bigint, f double precision, r real,
         j json, jb jsonb, raw bytea, at timestamptz, day date, gap interval, grid int[], words text[], c char(5),
         m mood, p pair, span int4range, net inet, bits bit varying, doubled bigint generated always as (snow * 2) stored,
         x xml, ts tsvector, nothing text);
       insert into kept (id, big, snow, f, r, j, jb, raw, at, day, gap, grid, words, c, m, p, span, net, bits, x, ts, nothing)
         select 9007199254740993 + n, 12345678901234567890.123456789012 + n, -1234567890123456702 + n,
         1e308 * 1.7, 'NaN', '{"b":1,  "a":1, "a":2}', '{"n": 12345678901234567890123}', '\\xdeadbeef00', 'infinity',
         'epoch', '1 year -2 days 03:04:05.000006', '[0:1]={1,2}', array['a,"b', null, 'NULL', ''], 'ab', 'glad'::mood,
         row(1, 'x,"y')::pair, '[1,5)', '10.0.0.1/8', '101', '<a>&amp;</a>', '''fat'':2', null
         from generate_series(1, 20) n`,
      {
        table: 'kept',
        bad: 'snow is not null',
        fix: `snow = null, big = 0, f = 0, r = 1, j = '{}', jb = null, raw = null, at = now(), day = now(), gap = '0',
          grid = '{}', words = null, c = 'x', m = 'sad', p = null, span = null, net = null, bits = null, x = null,
          ts = null, nothing = 'something'`,
      },
    );
    const before = await md5(hands, 'kept');
    expect(await hands.run('data: fix')).toMatchObject({ verdict: 'pass', figures: { fixed: 20 } });
    expect(await hands.undo('data: fix')).toMatchObject({ done: true, summary: '20 of 20 rows put back' });
    expect(await md5(hands, 'kept')).toBe(before);
  });

  test('a key that its fix changes; two rules after each other on one row', async () => {
    const hands = await given(
      `create table codes (code text primary key, v int); insert into codes values ('a ', 0), ('b ', 0), ('c', 0)`,
      [
        { table: 'codes', bad: "code like '% '", fix: 'code = trim(code)' },
        { table: 'codes', bad: 'v = 0', fix: 'v = 1' },
      ],
    );
    const before = await md5(hands, 'codes');
    const receipt = await hands.run('data: fix');
    expect(receipt, receipt.summary).toMatchObject({ verdict: 'pass', figures: { fixed: 5 } });
    // The keys that it left and the keys that it made are both its doing.
    expect(await compare(hands)).toMatchObject({ equal: true, differences: [] });
    expect(await hands.undo('data: fix')).toMatchObject({ done: true, summary: '5 of 5 rows put back' });
    expect(await md5(hands, 'codes')).toBe(before);
  });

  test('a trigger that dates each change is named, by the undo and by the comparison', async () => {
    const hands = await given(
      `create table dated (id int primary key, v text, updated timestamptz default 'epoch');
       insert into dated select n, 'old' from generate_series(1, 3) n;
       create function dates() returns trigger language plpgsql as
         $$ begin new.updated = clock_timestamp(); return new; end $$;
       create trigger dates before update on dated for each row execute function dates()`,
      { table: 'dated', bad: "v = 'old'", fix: "v = 'new'" },
    );
    expect(await hands.run('data: fix')).toMatchObject({ verdict: 'pass' });
    expect(await hands.undo('data: fix')).toMatchObject({
      done: true,
      summary: '3 of 3 rows put back, in 3 of them a trigger changed something again',
      notes: expect.arrayContaining(['public.dated 1 (updated): put back, but a trigger changed it again']),
    });
    expect(await values(hands, 'select distinct v from dated')).toBe('old');
    expect(await compare(hands)).toMatchObject({
      equal: true,
      writtenSince: expect.arrayContaining(['public.dated 1: put back, but a trigger changed updated again']),
    });
  });

  test('more rows than are named are counted, the table that lost most first, and all stand in the file', async () => {
    const hands = await given(
      `create table many (id int primary key, qty int); insert into many select n, 0 from generate_series(1, 300) n;
       create table few (id int primary key); insert into few values (1);
       create table busy (id int primary key, v int); insert into busy select n, 0 from generate_series(1, 60) n`,
      { table: 'many', bad: 'qty = 0', fix: 'qty = 1' },
    );
    await hands.run('data: fix');
    await hands.sql('insert into few values (2); update busy set v = 1');
    const { writtenSince, summary } = await compare(hands);
    expect(writtenSince[0]).toBe('public.busy: 60 rows, of which 50 are named here');
    expect(writtenSince.findIndex((line) => line.startsWith('public.few 2: added'))).toBe(51);
    expect(writtenSince).toContain('public.many: 300 rows, of which 50 are named here');
    expect(summary).toContain('300 rows changed by a fix, listed in after/here/');
    const kept = await hands.world.artifacts.read(
      `evidence/${hands.rollout.deployment}/after/here/rows-that-stay-fixed.txt`,
    );
    expect(kept.split('\n')).toHaveLength(301);
  });

  test('a row that a fix touched and that is something else now is not excused by it', async () => {
    const hands = await given(
      `create table items (id int primary key, qty int); insert into items select n, 0 from generate_series(1, 3) n`,
      { table: 'items', bad: 'qty = 0', fix: 'qty = 1' },
    );
    await hands.run('data: fix');
    expect(await compare(hands)).toMatchObject({
      equal: true,
      writtenSince: expect.arrayContaining(['public.items 2: stays as the fix left it']),
    });
    const file = join(
      hands.world.settings.artifacts,
      `evidence/${hands.rollout.deployment}/after/here/rows-that-stay-fixed.txt`,
    );
    expect((await readFile(file, 'utf8')).split('\n')).toEqual([
      'public.items 1: stays as the fix left it',
      'public.items 2: stays as the fix left it',
      'public.items 3: stays as the fix left it',
      '',
    ]);
    await hands.sql('update items set qty = 77 where id = 2');
    const { writtenSince, summary } = await compare(hands);
    expect(summary).toBe(
      'schema and content as recorded, 1 row written since, ' +
        '2 rows changed by a fix, listed in after/here/rows-that-stay-fixed.txt',
    );
    expect(await readFile(file, 'utf8')).not.toContain('items 2');
    expect(writtenSince).not.toContain('public.items 2: stays as the fix left it');
  });

  const imagesOf = (hands: Hands) =>
    join(
      hands.world.settings.artifacts,
      `rollouts/${hands.rollout.hash}/fix-${hands.step('data: fix').index}.jsonl`,
    );
  test.each<[string, (file: string) => Promise<void>]>([
    [
      'one byte is another',
      async (file) => writeFile(file, (await readFile(file, 'utf8')).replace('"qty": "0"', '"qty": "9"')),
    ],
    ['a line is added', (file) => appendFile(file, '{}\n')],
    ['it is gone', (file) => rm(file)],
    ['it is empty', (file) => writeFile(file, '')],
  ])('before-images of which %s: nothing is put back from them', async (_name, damage) => {
    const hands = await given(
      `create table items (id int primary key, qty int); insert into items select n, 0 from generate_series(1, 3) n`,
      { table: 'items', bad: 'qty = 0', fix: 'qty = 1' },
    );
    await hands.run('data: fix');
    await damage(imagesOf(hands));
    expect((await failureOf(hands.undo('data: fix'))).code).toBe('IMAGES_CHANGED');
    expect(await values(hands, 'select distinct qty as v from items')).toBe('1');
  });
});
