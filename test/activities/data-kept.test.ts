// What keeps rows from being fixed or put back: each is named, and every other row is as it should be.
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Comparison } from '../../src/core/activities.ts';
import { BACKUP, type Bench, failureOf, type Hands, MIGRATE, permit, raiseBench } from '../support/hands.ts';

let bench: Bench;
beforeAll(async () => void (bench = await raiseBench()));
afterAll(() => bench?.stop());

async function given(sql: string, rule: string): Promise<Hands> {
  const steps = `${BACKUP}  - step: data\n    data:\n      rules:\n        - { rule: one, ${rule} }\n${MIGRATE}`;
  const hands = await permit(bench, { steps });
  await hands.sql(sql);
  await hands.run('backup');
  return hands;
}
const rows = async (hands: Hands, sql: string) => (await hands.sql<{ r: string }>(sql)).map(({ r }) => r);

describe('an undo', () => {
  test.each([
    [
      'a value that somebody has taken meanwhile',
      'create table u (id int primary key, v text unique)',
      "insert into u values (9, 'v2')",
    ],
    [
      'a condition that the row before the fix does not meet',
      'create table u (id int primary key, v text)',
      "alter table u add check (v <> 'v2') not valid",
    ],
    [
      'a trigger that raises',
      'create table u (id int primary key, v text)',
      `create function no() returns trigger language plpgsql as
         $$ begin if new.v = 'v2' then raise 'not this one'; end if; return new; end $$;
       create trigger no before update on u for each row execute function no()`,
    ],
  ])('%s keeps one row away: it is named, the others are put back', async (_, table, meanwhile) => {
    const hands = await given(
      `${table}; insert into u select n, 'v' || n from generate_series(1, 4) n`,
      'table: u, bad: "v like \'v%\' and id < 9", fix: "v = \'fixed\' || id"',
    );
    expect(await hands.run('data: fix')).toMatchObject({ verdict: 'pass', figures: { fixed: 4 } });
    await hands.sql(meanwhile);
    expect(await hands.undo('data: fix')).toMatchObject({
      done: false,
      summary: '3 of 4 rows put back',
      differences: [expect.stringMatching(/^public\.u 2 \(.*\(.*\)\): cannot be put back$/u)],
    });
    expect(await rows(hands, 'select v as r from u where id < 9 order by id')).toEqual([
      'v1',
      'fixed2',
      'v3',
      'v4',
    ]);
  });

  test('keys that the fix moved, each to its neighbour’s place, are put back', async () => {
    const hands = await given(
      `create table seqs (id int primary key, v text, moved boolean not null default false);
       insert into seqs select n, 'v' || n from generate_series(5, 1, -1) n`,
      'table: seqs, bad: not moved, fix: "id = id + 1, moved = true"',
    );
    const fixed = await hands.run('data: fix');
    expect(fixed).toMatchObject({ verdict: 'pass', figures: { fixed: 5 } });
    expect(await hands.undo('data: fix')).toMatchObject({ done: true, summary: '5 of 5 rows put back' });
    expect(await rows(hands, 'select id || v as r from seqs order by id')).toEqual(
      [1, 2, 3, 4, 5].map((n) => `${n}v${n}`),
    );
  });
});

test('a deferred trigger acts before the rows are counted: a fix that changes others is taken back', async () => {
  const hands = await given(
    `create table d (id int primary key, v text);
     insert into d select n, case when n < 3 then 'old' else 'good' end from generate_series(1, 5) n;
     create function touch() returns trigger language plpgsql as
       $$ begin if pg_trigger_depth() = 1 then update d set v = 'TOUCHED' where id > 3; end if; return null; end $$;
     create constraint trigger touch after update on d deferrable initially deferred
       for each row execute function touch()`,
    'table: d, bad: "v = \'old\'", fix: "v = \'new\'"',
  );
  expect(await hands.run('data: fix')).toMatchObject({
    verdict: 'error',
    summary: expect.stringContaining('rows of the table would change'),
  });
  expect(await rows(hands, 'select v as r from d order by id')).toEqual([
    'old',
    'old',
    'good',
    'good',
    'good',
  ]);
});

test('rows of many megabytes: images are kept and put back', { timeout: 120_000 }, async () => {
  const hands = await given(
    `create table wide (id int primary key, v text, filler text);
     insert into wide select n, 'old', repeat(md5(n::text), 100000) from generate_series(1, 12) n`,
    'table: wide, bad: "v = \'old\'", fix: "v = \'new\'"',
  );
  expect(await hands.run('data: fix')).toMatchObject({ verdict: 'pass', figures: { fixed: 12 } });
  expect(await hands.undo('data: fix')).toMatchObject({ done: true, summary: '12 of 12 rows put back' });
  expect(await rows(hands, "select count(*)::text as r from wide where v = 'old'")).toEqual(['12']);
});

test('a table whose heir has no key is refused before anything is changed', async () => {
  const hands = await given(
    `create table p (id int primary key, v text); create table c () inherits (p);
     insert into c values (1, 'old'), (1, 'new')`,
    'table: p, bad: "v = \'old\'", fix: "v = \'new\'"',
  );
  expect(await hands.run('data: fix')).toMatchObject({
    verdict: 'error',
    summary: expect.stringContaining('c inherits from public.p and has no primary key'),
  });
  const far = await given(
    `create table p (id int primary key, v text); insert into p values (1, 'old');
     create foreign data wrapper nobody; create server nowhere foreign data wrapper nobody;
     create foreign table c () inherits (p) server nowhere`,
    'table: p, bad: "v = \'old\'", fix: "v = \'new\'"',
  );
  expect(await far.run('data: fix')).toMatchObject({
    summary: expect.stringContaining('is a foreign table'),
  });
  expect(await rows(hands, 'select v as r from c order by v')).toEqual(['new', 'old']);
});

test('rows of another table that a trigger of the fix truncates are not called the application’s', async () => {
  const hands = await given(
    `create table f (id int primary key, v text); insert into f values (1, 'old');
     create table other (id int primary key); insert into other values (1), (2);
     create function gone() returns trigger language plpgsql as $$ begin truncate other; return null; end $$;
     create trigger gone after update on f execute function gone()`,
    'table: f, bad: "v = \'old\'", fix: "v = \'new\'"',
  );
  await hands.run('data: fix');
  await hands.undo('data: fix');
  const left = await hands.call<Comparison>('compareRollback', { rollout: hands.rollout, ran: [] });
  expect(left.differences).toEqual(
    [1, 2].map((id) => expect.stringMatching(`public.other ${id}: removed while`)),
  );
});

test('a recorded state of which something is another: nothing is compared with it', async () => {
  const hands = await given(
    'create table keep (id int primary key)',
    'table: keep, bad: id < 0, fix: id = 0',
  );
  const file = await hands.world.artifacts.path(`rollouts/${hands.rollout.hash}/recorded.json`);
  await writeFile(file, (await readFile(file, 'utf8')).replace('"rows":0', '"rows":1'));
  expect(
    await failureOf(hands.call<Comparison>('compareRollback', { rollout: hands.rollout, ran: [] })),
  ).toMatchObject({ code: 'RECORD_CHANGED' });
});

test('a key that differs only by a collation that calls both the same is another one', async ({ skip }) => {
  const hands = await given(
    `create collation nd (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
     create table nd (k text collate nd primary key); insert into nd values ('ABC'), ('x')`,
    'table: nd, bad: "k::text collate \\"C\\" <> lower(k)", fix: k = lower(k)',
  ).catch((error: Error) => (error.message.includes('ICU') ? skip() : Promise.reject(error)));
  expect(await hands.run('data: fix')).toMatchObject({ verdict: 'pass', figures: { fixed: 1 } });
  const left = await hands.call<Comparison>('compareRollback', { rollout: hands.rollout, ran: [] });
  expect(left).toMatchObject({ equal: true, differences: [] });
});

test('a fix of partitions that stays is told as the fix’s, partition by partition', async () => {
  const hands = await given(
    `create table ev (id int, day int, v text, primary key (id, day)) partition by range (day);
     create table "Ev_A" partition of ev for values from (0) to (10);
     insert into ev select n, n, 'old' from generate_series(1, 3) n`,
    'table: ev, bad: "v = \'old\'", fix: "v = \'new\'"',
  );
  await hands.run('data: fix');
  const left = await hands.call<Comparison>('compareRollback', { rollout: hands.rollout, ran: [] });
  expect(left).toMatchObject({ equal: true, differences: [] });
  expect(left.writtenSince).toHaveLength(3);
  expect(left.writtenSince[0]).toBe('public.Ev_A (1,1): stays as the fix left it');
});

test('a command that truncates a table and fills it again is undone', async () => {
  const hands = await byCommand(
    "create table look (id int primary key, v text); insert into look select n, 'v' || n from generate_series(1, 4) n",
    'look',
    "truncate look; insert into look values (1, 'v1'), (9, 'new')",
  );
  expect(await hands.run('data: fix')).toMatchObject({ verdict: 'pass', figures: { fixed: 4 } });
  expect(await hands.undo('data: fix')).toMatchObject({ done: true, summary: '4 of 4 rows put back' });
  expect(await rows(hands, 'select id || v as r from look order by id')).toEqual([
    '1v1',
    '2v2',
    '3v3',
    '4v4',
  ]);
});

async function byCommand(sql: string, table: string, fix: string): Promise<Hands> {
  const steps =
    `${BACKUP}  - step: data\n    data:\n      check: { command: [psql, -Xqc, "select 1"] }\n` +
    `      fix: { command: [psql, -Xqc, "${fix}"], tables: [${table}] }\n${MIGRATE}`;
  const hands = await permit(bench, { steps });
  await hands.sql(sql);
  await hands.run('backup');
  return hands;
}

test('a command that fixes a partitioned table leaves no trigger behind, and is undone', async () => {
  const hands = await byCommand(
    `create table ev (id int, day int, v text, primary key (id, day)) partition by range (day);
     create table ev_a partition of ev for values from (0) to (10);
     insert into ev select n, n, 'old' from generate_series(1, 3) n`,
    'ev',
    "update ev set v = 'new'",
  );
  expect(await hands.run('data: fix')).toMatchObject({ verdict: 'pass', figures: { fixed: 3 } });
  expect(await rows(hands, 'select tgname as r from pg_trigger where tgname ~ $$soakgate$$')).toEqual([]);
  expect(await hands.undo('data: fix')).toMatchObject({ done: true, summary: '3 of 3 rows put back' });
  expect(await rows(hands, 'select distinct v as r from ev')).toEqual(['old']);
});
