// Databases as they are in the field: a backup of each is proven, and the judge, who restores the same dump by
// himself, finds the same; or preflight names what is missing, with the statement that helps.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BACKUP, type Bench, type Hands, MIGRATE, permit, query, raiseBench } from '../support/hands.ts';
import { needsExtensions, said } from '../support/field-case.ts';
import { judge } from '../support/judge.ts';
import { ranNow } from '../support/programs.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await raiseBench();
  await query(
    bench.postgres.url('postgres'),
    'create role app login createdb; create role boss; create role reader; revoke connect on database postgres from public; grant connect on database postgres to app',
  );
});
afterAll(() => bench?.stop());

const steps = `  - { step: preflight, preflight: {} }\n${BACKUP}${MIGRATE}`;
const inPostgres = (sql: string) => query(bench.postgres.url('postgres'), sql);

/** A database of its own; `sql` is run in it as a superuser, \`NAME\` stands for its name. */
async function database(how: string, sql: string, as = 'postgres'): Promise<string> {
  const name = `f${randomUUID().slice(0, 8)}`;
  await inPostgres(`create database ${name} ${how}`);
  const url = bench.postgres.url(name);
  await query(url, sql.replaceAll('NAME', name));
  return url.replace('postgres://postgres@', `postgres://${as}@`);
}

const lines = (text: string) => text.split('\n').toSorted();
/** The judge restores the proven dump and compares by pg_dump and md5. */
async function judgeDump(hands: Hands, how: string, printedOtherwise: boolean): Promise<void> {
  const name = `j${randomUUID().slice(0, 8)}`;
  await inPostgres(`create database ${name} ${how || 'template template0'}`);
  const dump = await hands.world.artifacts.path(`rollouts/${hands.rollout.hash}/backup.dump`);
  const superuser = (url: string) => url.replace(/\/\/\w+@/u, '//postgres@');
  const restore = join(bench.postgres.bin, 'pg_restore');
  const target = bench.postgres.url(name);
  ranNow(restore, ['--exit-on-error', '--no-subscriptions', '--dbname', target, dump]);
  const [is, was] = [await judge(target), await judge(superuser(hands.url))];
  const { schema: restored, ...rows } = is;
  const { schema: dumped, ...source } = was;
  expect(rows).toEqual(source);
  if (!printedOtherwise) expect(lines(restored ?? '')).toEqual(lines(dumped ?? ''));
}

interface Proven {
  readonly name: string;
  readonly sql: string;
  readonly how?: string;
  /** What the receipt says beside. */
  readonly says?: RegExp;
  /** From this major of PostgreSQL on. */
  readonly major?: number;
}

const table =
  "create table a (id int primary key, v text); insert into a select n, 'v' || n from generate_series(1, 50) n;";
const proven: readonly Proven[] = [
  {
    name: 'a builtin locale',
    major: 17,
    how: "template template0 locale_provider builtin builtin_locale 'C.UTF-8'",
    sql: table,
  },
  {
    name: 'virtual generated columns',
    major: 18,
    sql: 'create table g (a int, b int generated always as (a * 2) virtual); insert into g values (1), (null)',
  },
  {
    name: 'constraints that are not enforced or not validated',
    major: 18,
    sql: `create table n (id int primary key, a int, b int, check (a > 0) not enforced);
      insert into n values (1, -1, null); alter table n add constraint nn not null b not valid;
      create table m (id int references n not enforced)`,
  },
  {
    name: 'a key without overlaps',
    major: 18,
    sql: "create table w (room int4range, during daterange, primary key (room, during without overlaps)); insert into w values ('[1,2)', '[2020-01-01,2020-02-01)')",
  },
  {
    name: 'a name with a dot',
    sql: 'create table "a.b" ("c.d" int); insert into "a.b" values (1); create schema "x.y"; create table "x.y"."z" (t int)',
  },
  {
    name: 'names with quotes, unicode, reserved words',
    sql: 'create table "we""ird Ünïcode\'s" ("select" int, "-rf" text); insert into "we""ird Ünïcode\'s" values (1, \'x\'); create table "Orders" (id int)',
  },
  {
    name: 'grants that came and went',
    sql: `${table} grant select on a to reader; revoke select on a from reader; grant usage on schema public to reader; revoke usage on schema public from reader`,
  },
  {
    name: 'grants in another order',
    sql: `${table} grant select on a to reader, boss; revoke select on a from reader; grant select on a to reader`,
  },
  {
    name: 'grants on functions that came and went',
    sql: "create function f() returns int language sql as 'select 1'; grant execute on function f() to reader; revoke execute on function f() from reader",
  },
  {
    name: 'options of a view in another order',
    sql: 'create table a (id int); create view v with (security_barrier, check_option = local) as select * from a where id > 0; alter view v reset (security_barrier); alter view v set (security_barrier = true)',
  },
  {
    name: 'a table without columns, one with a column t',
    sql: 'create table none (); insert into none default values; create table t (t int, i text); insert into t values (1, null)',
  },
  {
    name: 'a statement timeout of the database',
    sql: `${table} alter database NAME set statement_timeout = '1ms'; insert into a select n, repeat('x', 500) from generate_series(100, 60000) n`,
  },
  {
    name: 'an idle timeout of the database',
    sql: `${table} alter database NAME set idle_in_transaction_session_timeout = '50ms'; alter database NAME set idle_session_timeout = '80ms'`,
  },
  {
    name: 'read only by default',
    sql: `${table} alter database NAME set default_transaction_read_only = on`,
  },
  {
    name: 'dates and numbers written otherwise by default',
    sql: "alter database NAME set datestyle = 'SQL, DMY'; alter database NAME set extra_float_digits = -15; alter database NAME set bytea_output = escape; create table x (d timestamptz, f float8, b bytea); insert into x values ('2020-02-03 04:05:06+07', 0.1 + 0.2, '\\x00ff')",
  },
  {
    name: 'a search path of its own',
    sql: 'create schema biz; create table biz.a (id int); alter database NAME set search_path = biz',
  },
  { name: 'ICU', how: "template template0 locale_provider icu icu_locale 'en-US'", sql: table },
  {
    name: 'LATIN1',
    how: "template template0 encoding LATIN1 lc_collate 'C' lc_ctype 'C'",
    sql: "create table l (v text); insert into l values ('caf' || chr(233))",
  },
  {
    name: 'SQL_ASCII with bytes of no encoding',
    how: "template template0 encoding SQL_ASCII lc_collate 'C' lc_ctype 'C'",
    sql: "create table l (v text); insert into l values (convert_from('\\x636166e9', 'SQL_ASCII'))",
  },
  {
    name: 'an older version of an extension',
    sql: "create extension hstore version '1.7'; create table h (v hstore)",
    says: /^not compared: version of extension hstore is 1\.7, a restore makes it 1\.8/u,
  },
  {
    name: 'an extension in a schema of its own',
    sql: 'create schema ext; create extension hstore schema ext; create table h (v ext.hstore)',
  },
  {
    name: 'a subscription',
    sql: `${table} create subscription sub_NAME connection 'dbname=nowhere' publication p with (connect = false)`,
    says: /^not compared: subscription sub_/u,
  },
  { name: 'large objects', sql: "select lo_from_bytea(0, '\\x0102'), lo_from_bytea(0, '\\x')" },
  {
    name: 'generated columns, identities, sequences',
    sql: "create table g (id int generated always as identity, a int, b int generated always as (a * 2) stored); insert into g (a) select n from generate_series(1, 9) n; create sequence s cycle maxvalue 3; select nextval('s')",
  },
  {
    name: 'expressions that are printed otherwise after a restore',
    sql: "create table e (s varchar(9), n int, check (s in ('a', 'b')), check (n between 1 and 2 or n in (3, 4))); create index on e (lower(s)) where s in ('a', 'b'); create view v as select * from e where s in ('a', 'b')",
  },
  {
    name: 'a materialized view that is stale, and one without data',
    sql: `${table} create materialized view m as select count(*) as n from a; insert into a values (0, 'x'); create materialized view e as select 1 as x with no data`,
  },
];

describe('a backup is proven, and the judge finds the same', () => {
  test.for(proven)('$name', async ({ name, sql, how = '', says, major = 0 }, context) => {
    const icu = how.includes('icu');
    await needsExtensions(context, bench.postgres.url('postgres'), sql, { major, icu });
    const hands = await permit(bench, { steps, url: await database(how, sql) });
    expect(await hands.run('preflight')).toMatchObject({ verdict: 'pass' });
    const receipt = await hands.run('backup');
    said(context, receipt.summary);
    expect(receipt).toMatchObject({ verdict: 'pass', summary: expect.stringContaining('proven by restore') });
    if (says) expect(receipt.details).toContainEqual(expect.stringMatching(says));
    await judgeDump(hands, how, name.includes('printed otherwise'));
    await hands.call('closeRollout', { rollout: hands.rollout, outcome: 'failed' });
    expect(
      await inPostgres(`select datname from pg_database where datname like 'sg\\_${hands.rollout.hash}%'`),
    ).toEqual([]);
  });
});

interface Refused {
  readonly name: string;
  /** Run as a superuser in a database that app owns, with a table of app's. */
  readonly sql: string;
  readonly says: string;
  readonly restore?: true;
}

const refused: readonly Refused[] = [
  {
    name: "another's table",
    sql: 'create table b (id int)',
    says: 'role app does not own public.b: grant postgres to app',
  },
  {
    name: "another's function",
    sql: "create function f() returns int language sql as 'select 1'; alter function f() owner to boss",
    says: 'role app does not own function f(): grant boss to app',
  },
  {
    name: "another's type",
    sql: "create type mood as enum ('a'); alter type mood owner to boss",
    says: 'role app does not own type mood: grant boss to app',
  },
  {
    name: "another's schema",
    sql: 'create schema biz authorization boss',
    says: 'role app does not own schema biz: grant boss to app',
  },
  {
    name: "another's default privileges",
    sql: 'alter default privileges for role boss grant select on tables to reader',
    says: 'role app does not own default privileges of boss: grant boss to app',
  },
  {
    name: 'the schema public of a cluster from before 15',
    sql: 'alter schema public owner to postgres',
    says: 'role app does not own schema public: grant postgres to app',
  },
  {
    name: 'an extension that only a superuser can make',
    sql: 'create extension pageinspect',
    says: 'role app cannot restore extension pageinspect: only a superuser can',
  },
  {
    name: 'an event trigger',
    sql: "create function ev() returns event_trigger language plpgsql as 'begin end'; alter function ev() owner to app; create event trigger w on ddl_command_end when tag in ('CREATE SERVER') execute function ev()",
    says: 'role app cannot restore event trigger w',
  },
  {
    name: 'a publication of all tables',
    sql: 'create publication p for all tables',
    says: 'role app cannot restore publication p for all tables',
  },
  {
    name: 'a subscription',
    sql: "create subscription s_NAME connection 'dbname=x' publication p with (connect = false)",
    says: 'which pg_dump leaves out for this role',
  },
  {
    name: "a grant by another's hand",
    sql: 'grant select on a to boss with grant option; set role boss; grant select on a to reader',
    says: 'role app cannot restore grants on a made by boss',
  },
  {
    name: 'row security that is forced',
    sql: 'alter table a enable row level security; alter table a force row level security',
    says: 'alter role app bypassrls',
  },
  {
    name: "another's large object",
    sql: 'select lo_create(991)',
    says: 'role app may not read the large objects 991: grant postgres to app',
  },
  {
    name: 'an invalid index',
    sql: "update pg_index set indisvalid = false where indexrelid = 'a_v'::regclass",
    says: 'drop index a_v',
  },
  {
    name: 'no right to create in the database',
    sql: 'alter database NAME owner to boss; grant connect on database NAME to app',
    says: 'grant create on database NAME to app',
  },
  {
    name: 'a setting that only a superuser may restore',
    restore: true,
    sql: "alter database NAME set log_min_duration_statement = '1s'",
    says: 'grant set on parameter log_min_duration_statement to app',
  },
  {
    name: "another role's setting",
    restore: true,
    sql: "alter role boss in database NAME set work_mem = '5MB'",
    says: 'alter role app createrole',
  },
];

describe('preflight names what is missing', () => {
  const fallbacks = ', restore: { approved: { roles: [dba] }, loses: writes-since-backup }';
  test.for(refused)('$name', async ({ sql, says, restore }, context) => {
    await needsExtensions(context, bench.postgres.url('postgres'), sql);
    const own =
      'set role app; create table a (id int primary key, v text); create index a_v on a (v); reset role; ';
    const url = await database('owner app', own + sql, 'app');
    const hands = await permit(bench, { steps, url, ...(restore && { fallbacks }) });
    const receipt = await hands.run('preflight');
    said(context, receipt.summary);
    expect(receipt.verdict).toBe('fail');
    const name = new URL(url).pathname.slice(1);
    expect(receipt.details?.join('\n')).toContain(says.replaceAll('NAME', name));
  });

  test('an ordinary owner with nothing in its way passes, and its backup is proven', async () => {
    const url = await database(
      'owner app',
      'set role app; create table a (id int primary key); insert into a values (1)',
      'app',
    );
    const hands = await permit(bench, { steps, url, fallbacks });
    expect(await hands.run('preflight')).toMatchObject({ verdict: 'pass' });
    expect(await hands.run('backup')).toMatchObject({ verdict: 'pass' });
  });

  test('sessions of others, which a restore must end: said, not crashed', async () => {
    const url = await database('owner app', 'set role app; create table a (id int primary key)', 'app');
    await inPostgres('alter role reader login');
    const { default: pg } = await import('pg');
    const other = new pg.Client({ connectionString: url.replace('//app@', '//reader@') });
    await other.connect();
    try {
      const hands = await permit(bench, { steps, url, fallbacks });
      expect(await hands.run('preflight')).toMatchObject({
        verdict: 'fail',
        summary: expect.stringContaining('grant pg_signal_backend to app'),
      });
    } finally {
      await other.end();
    }
  });

  test('no way into the database from which scratch databases are made', async () => {
    const url = await database('owner app', 'set role app; create table a (id int primary key)', 'app');
    await inPostgres('revoke connect on database postgres from app');
    try {
      expect(await (await permit(bench, { steps, url })).run('preflight')).toMatchObject({
        verdict: 'fail',
        summary: expect.stringContaining('grant connect on database postgres to app'),
      });
    } finally {
      await inPostgres('grant connect on database postgres to app');
    }
  });
});

describe('SQL of a plan is prepared on the database', () => {
  const rules = (rule: string) =>
    `${steps.replace(MIGRATE, '')}  - step: data\n    data: { rules: [{ rule: r, ${rule} }] }\n${MIGRATE}`;
  test.each([
    ['a column that is not there', 'table: orders, bad: "nothing < 0"', 'column "nothing" does not exist'],
    ['a condition that closes our parenthesis', 'table: orders, bad: "true) or (true"', 'syntax error'],
    [
      'a fix with a condition',
      'table: orders, bad: "true", fix: "status = null where true"',
      'a WHERE clause',
    ],
    ['a fix of a view', 'table: order_report, bad: "true", fix: "id = 1"', 'order_report is a view'],
    [
      'a function that acts on sessions',
      'table: orders, bad: "pg_terminate_backend(1)"',
      'it calls pg_terminate_backend',
    ],
    ['a function that counts on', `table: orders, bad: "nextval('orders_id_seq') > 0"`, 'it calls nextval'],
  ])('%s', async (_name, rule, why) => {
    const receipt = await (await permit(bench, { steps: rules(rule) })).run('preflight');
    expect(receipt.verdict).toBe('fail');
    expect(receipt.details?.join('\n')).toContain(why);
  });

  test('what a migration makes may be named behind it', async () => {
    const later = `${steps}  - { step: later, check: { sql: "select 1 from orders where discount_cents < 0", returns: no rows } }\n`;
    expect(await (await permit(bench, { steps: later })).run('preflight')).toMatchObject({ verdict: 'pass' });
  });
});
