// What a rollback is said to have left, where the application and others write and make things meanwhile: cases from
// the field, each judged by hand in its expectation.
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Comparison, Newer } from '../../src/core/activities.ts';
import { said } from '../support/field-case.ts';
import {
  BACKUP,
  type Bench,
  type Hands,
  MIGRATE,
  permit,
  planOf,
  query,
  raiseBench,
} from '../support/hands.ts';
import { ranNow } from '../support/programs.ts';
import { people, restoredBy, RESTORES } from '../support/restoring.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await raiseBench();
  await inPostgres('create role app login createdb; create role helper login createdb in role app');
});
afterAll(() => bench?.stop());

const inPostgres = (sql: string) => query(bench.postgres.url('postgres'), sql);

interface Case {
  readonly sql: string;
  readonly up?: string;
  readonly down?: string;
  /** Behind `create database NAME`. */
  readonly how?: string;
  readonly login?: string;
  /** SQL of a step between backup and migration, whose undo does nothing. */
  readonly step?: string;
  readonly ledger?: string;
}

interface Opened extends Hands {
  readonly database: string;
  /** As the superuser. */
  readonly su: string;
}

async function opened({ sql, up = 'select 1', down = 'select 1', how = '', ...more }: Case): Promise<Opened> {
  const { login, ledger = 'schema_migrations', step } = more;
  const database = `r${randomUUID().slice(0, 8)}`;
  await inPostgres(`create database ${database} ${how}`);
  const su = bench.postgres.url(database);
  await query(su, `${login ? 'set role app;' : ''} ${LEDGER}; ${sql.replaceAll('HERE', database)}`);
  const repository = await mkdtemp(join(bench.folder, 'rollbacks-'));
  await mkdir(join(repository, 'migrations'));
  await writeFile(join(repository, 'migrations', '0001_a.sql'), up.replaceAll('HERE', database));
  await writeFile(join(repository, 'migrations', '0001_a.down.sql'), down);
  await writeFile(join(repository, 'step.sql'), step ?? 'select 1');
  await writeFile(join(repository, 'step.undo.sql'), 'select 1');
  const git = (...args: string[]) =>
    ranNow('git', ['-C', repository, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args]);
  git('init', '-q');
  git('add', '.');
  git('commit', '-qm', 'v2');
  git('tag', 'v2');
  const plan = planOf({
    steps: BACKUP + (step === undefined ? '' : STEP) + MIGRATE,
    pending: '0001_a',
    services: '[]',
    fallbacks: RESTORES,
  })
    .replace(', journal: audit.change_ledger', '')
    .replace('ledger: schema_migrations', `ledger: ${ledger}`)
    .replace(', ORDERS_MODULES: { env: ORDERS_MODULES }', '');
  const url = login ? su.replace('//postgres@', `//${login}@`) : su;
  const hands = await permit(bench, { steps: '', url, people, app: { plan, repository, ref: 'v2' } });
  return { ...hands, database, su };
}

const STEP = '  - { step: step, sql: { file: step.sql, undo: step.undo.sql, give-up-after: 2s } }\n';
const LEDGER =
  'create table schema_migrations (version text primary key, applied_at timestamptz not null default now())';
const compare = (hands: Hands) =>
  hands.call<Comparison>('compareRollback', { rollout: hands.rollout, ran: [] });

/** Backed up and migrated; then `meanwhile`, the way down, and what is said of it. */
async function rolledBack(given: Case, meanwhile: string): Promise<Comparison> {
  const hands = await opened(given);
  await hands.run('backup');
  await hands.run('migrate');
  await query(hands.su, meanwhile.replaceAll('HERE', hands.database));
  await hands.undo('migrate');
  return compare(hands);
}

const THREE =
  "create table a (id int primary key, w text, v text); insert into a select n, 'w', 'v' || n from generate_series(1, 3) n";

describe('the application writes while a migration is in force', () => {
  test('a column is dropped and made anew: its values are lost, whoever wrote the row last', async (context) => {
    const left = await rolledBack(
      { sql: THREE, up: 'alter table a drop column v', down: 'alter table a add column v text' },
      "update a set w = 'app' where id < 3",
    );
    expect(left.equal).toBe(false);
    expect(left.differences.filter((line) => line.startsWith('public.a '))).toHaveLength(3);
    expect(left.differences.join('\n')).toContain('in a column that this rollout changed or made anew, too');
    said(context, left.summary);
  });

  test('a column is dropped, kept aside and filled again: nothing is lost', async (context) => {
    const left = await rolledBack(
      {
        sql: THREE,
        up: 'create table aside as select id, v from a; alter table a drop column v',
        down: 'alter table a add column v text; update a set v = s.v from aside s where s.id = a.id; drop table aside',
      },
      "insert into a values (9, 'new')",
    );
    expect(left).toMatchObject({ equal: true, differences: [] });
    expect(left.writtenSince).toEqual(['public.a 9: added by the application since the backup']);
    said(context, left.summary);
  });

  test.each([
    ['an update', "update a set v = 'LOST' where id < 3"],
    [
      'an update of another name of the column',
      "alter table a rename v to x; update a set x = 'LOST' where id < 3; alter table a rename x to v",
    ],
    [
      'an update through a view',
      "create view aa as select * from a; update aa set v = 'LOST' where id < 3; drop view aa",
    ],
    ['code whose assignments cannot be read', "do $$ begin update a set v = 'LOST' where id < 3; end $$"],
  ])('%s is not put back, and the application touches the row: not excused', async (_, up) => {
    const left = await rolledBack({ sql: THREE, up }, "update a set w = 'app' where id = 2");
    expect(left.equal).toBe(false);
    expect(left.differences.map((line) => line.slice(0, 11))).toEqual(['public.a 1:', 'public.a 2:']);
  });

  test('an update of a partitioned table is one of its partitions', async () => {
    const left = await rolledBack(
      {
        sql: `create table p (id int primary key, w text, v text) partition by range (id);
          create table p_1 partition of p for values from (0) to (10);
          insert into p select n, 'w', 'v' || n from generate_series(1, 3) n`,
        up: "update p set v = 'LOST' where id = 2",
      },
      "update p set w = 'app' where id in (1, 2)",
    );
    expect(left.differences.map((line) => line.slice(0, 13))).toEqual(['public.p_1 2:']);
    expect(left.writtenSince).toEqual(['public.p_1 1: changed by the application since the backup']);
  });

  test('what a step of SQL assigns counts as what a migration assigns', async () => {
    const hands = await opened({ sql: THREE, step: "update a set v = 'LOST' where id < 3" });
    await hands.run('backup');
    await hands.run('step');
    await query(hands.su, "update a set w = 'app' where id in (2, 3)");
    await hands.undo('step');
    const left = await compare(hands);
    expect(left.differences.map((line) => line.slice(0, 11))).toEqual(['public.a 1:', 'public.a 2:']);
  });

  test('a new column is filled and dropped: rows that the application wrote are its own', async () => {
    const left = await rolledBack(
      {
        sql: THREE,
        up: 'alter table a add column n int; update a set n = id',
        down: 'alter table a drop column n',
      },
      "update a set w = 'app' where id = 2; delete from a where id = 3; insert into a values (8, 'w', 'v8')",
    );
    expect(left).toMatchObject({ equal: true, differences: [] });
    expect(left.writtenSince).toHaveLength(3);
  });

  test.each([
    ['the migration truncates', 'truncate a', 'select 1', false],
    ['the application truncates', 'create table b (id int)', 'truncate a', true],
    ['the application deletes', 'create table b (id int)', 'delete from a', true],
  ])('%s', async (_, up, meanwhile, theirs) => {
    const left = await rolledBack({ sql: THREE, up, down: 'drop table if exists b' }, meanwhile);
    expect(left.equal).toBe(theirs);
    expect(
      (theirs ? left.writtenSince : left.differences).filter((line) => line.includes('removed')),
    ).toHaveLength(3);
  });

  test('both wrote a row: nobody says that the rollout alone did', async (context) => {
    const left = await rolledBack(
      {
        sql: 'create table c (id int primary key, credit int); insert into c values (1, 10), (2, 10)',
        up: 'update c set credit = credit + 1000',
        down: 'update c set credit = credit - 1000',
      },
      'update c set credit = credit + 5 where id = 1',
    );
    expect(left.differences).toEqual([expect.stringMatching(/^public\.c 1: .*may be the application’s$/u)]);
    said(context, left.summary);
  });
});

describe('others change what lies around', () => {
  test('a setting of the database that the migration leaves behind is its own', async (context) => {
    const left = await rolledBack(
      { sql: THREE, up: "do $$ begin execute 'alter database HERE set work_mem = ''9MB'''; end $$" },
      'select 1',
    );
    expect(left).toMatchObject({ equal: false });
    expect(left.differences.join('\n')).toContain('database setting work_mem');
    said(context, left.summary);
  });

  test('a setting that others make, and a partition that the application adds, are theirs', async (context) => {
    const left = await rolledBack(
      {
        sql: `create table ev (id int, d date) partition by range (d);
          create table ev_1 partition of ev for values from ('2020-01-01') to ('2021-01-01');
          create table q (id int primary key)`,
        up: 'alter table q add column z int',
        down: 'alter table q drop column z',
      },
      `alter database HERE set work_mem = '9MB';
       create table ev_2 partition of ev for values from ('2021-01-01') to ('2022-01-01');
       create index on ev_2 (id); insert into ev values (2, '2021-03-03')`,
    );
    expect(left).toMatchObject({ equal: true, differences: [] });
    expect(left.writtenSince.join('\n')).toContain('ev_2');
    expect(left.writtenSince.join('\n')).toContain('work_mem');
    said(context, left.summary);
  });

  test('a table that the migration leaves behind is its own, though the application wrote to it', async (context) => {
    const left = await rolledBack(
      { sql: THREE, up: 'create table mine (id int)' },
      'insert into mine values (1)',
    );
    expect(left).toMatchObject({ equal: false });
    expect(left.differences.join('\n')).toContain('public.mine');
    said(context, left.summary);
  });
});

describe('what no dump holds', () => {
  test('a restore keeps the tablespace, and a schema public that is not there', async (context) => {
    const place = await mkdtemp(join(bench.folder, 'space-'));
    ranNow('chmod', ['777', bench.folder, place]);
    if (process.getuid?.() === 0) ranNow('chown', ['postgres', place]);
    const space = `s${randomUUID().slice(0, 8)}`;
    await query(bench.postgres.url('postgres'), `create tablespace ${space} location '${place}'`);
    const hands = await opened({
      sql: `create schema biz; alter table schema_migrations set schema biz; drop schema public;
        alter database HERE set search_path = biz; create table biz.a (id int primary key)`,
      how: `tablespace ${space}`,
      ledger: 'biz.schema_migrations',
    });
    await hands.run('backup');
    await hands.run('migrate');
    const undone = await restoredBy(hands);
    expect(undone).toMatchObject({ done: true });
    expect(
      await query(
        hands.su,
        `select spcname, to_regnamespace('public') as public from pg_database d join pg_tablespace t
          on t.oid = d.dattablespace where datname = current_database()`,
      ),
    ).toEqual([{ spcname: space, public: null }]);
    expect(await compare(hands)).toMatchObject({ equal: true, differences: [] });
    said(context, undone.summary);
  });

  test('an heir whose parent got a column later is proven, and its order is named', async (context) => {
    const hands = await opened({
      sql: `create table p (f1 int, f2 int); create table c (f3 text) inherits (p); insert into c values (1, 2, 'x');
        alter table p add f4 int`,
    });
    const receipt = await hands.run('backup');
    expect(receipt).toMatchObject({ verdict: 'pass' });
    expect(receipt.details?.join('\n')).toContain('order of columns of public.c');
    said(context, receipt.summary);
  });

  test('rows that nobody compares are named', async () => {
    const hands = await opened({
      sql: `create table a (id int); create materialized view m as select * from a; insert into a values (1);
        create table kept (id int); insert into kept values (1); alter extension plpgsql add table kept`,
    });
    const { details } = await hands.run('backup');
    expect(details).toEqual(
      expect.arrayContaining([
        'not compared: rows of the materialized view public.m; a restore fills it anew',
        'not in the dump: rows of public.kept, which belongs to extension plpgsql',
      ]),
    );
  });

  test('a login that is a member of the owner can prove its backup', async (context) => {
    const hands = await opened({
      sql: 'create table a (id int primary key)',
      how: 'owner app',
      login: 'helper',
    });
    const receipt = await hands.run('backup');
    expect(receipt).toMatchObject({ verdict: 'pass' });
    said(context, receipt.summary);
  });

  test('what a restore loses is counted as of now', async (context) => {
    const hands = await opened({ sql: THREE });
    await hands.run('backup');
    await hands.run('migrate');
    await query(hands.su, "insert into a values (7, 'late')");
    const newer = await hands.call<Newer>('countNewer', { rollout: hands.rollout });
    expect(newer.summary).toMatch(
      /^1 row written since the backup of \S+ \(public\.a 1\), counted at \S+Z;/u,
    );
    expect((await restoredBy(hands)).summary).toMatch(/; lost: 1 row written since the backup$/u);
    said(context, newer.summary);
  });
});
