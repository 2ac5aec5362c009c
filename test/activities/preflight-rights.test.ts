// What an ordinary owner may restore is not refused for nothing, and what it may not is found before anything
// is done: each verdict of preflight is held against a backup by the same role. A statement that preflight
// prints helps.
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Receipt } from '../../src/core/receipts.ts';
import { BACKUP, type Bench, failureOf, MIGRATE, permit, query, raiseBench } from '../support/hands.ts';

let bench: Bench;
let major: number;
beforeAll(async () => {
  bench = await raiseBench();
  await inPostgres('create role app login createdb; create role boss');
  const [row] = await query<{ major: number }>(
    bench.postgres.url('postgres'),
    "select current_setting('server_version_num')::int / 10000 as major",
  );
  major = row!.major;
});
afterAll(() => bench?.stop());

const inPostgres = (sql: string) => query(bench.postgres.url('postgres'), sql);
const steps = `  - { step: preflight, preflight: {} }\n${BACKUP}${MIGRATE}`;
const RESTORES = ', restore: { approved: { roles: [dba] }, loses: writes-since-backup }';

/** A database of `owner`, filled by a superuser, as the address of `role`. */
async function database(owner: string, sql: string, role = owner): Promise<string> {
  const name = `r${randomUUID().slice(0, 8)}`;
  await inPostgres(`create database ${name} owner ${owner}`);
  const url = bench.postgres.url(name);
  await query(url, sql);
  return url.replace('//postgres@', `//${role}@`);
}

const ran = async (step: string, url: string, fallbacks = ''): Promise<Receipt> =>
  (await permit(bench, { steps, url, fallbacks })).run(step);
const said = ({ details }: Receipt): string => details?.join('\n') ?? '';

describe('functions', () => {
  test.each([
    [
      'an aggregate',
      "set role app; create aggregate total(int) (sfunc = int4pl, stype = int, initcond = '0')",
    ],
    [
      'an ordered and a moving aggregate, and one of a function of its own',
      `set role app; create function add(int, int) returns int language sql immutable as 'select $1 + $2';
       create aggregate own(int) (sfunc = add, stype = int, initcond = '0');
       create aggregate moving(int) (sfunc = int4pl, stype = int, initcond = '0', msfunc = int4pl,
         minvfunc = int4mi, mstype = int, minitcond = '0')`,
    ],
    ['a range type, which has constructors', 'set role app; create type span as range (subtype = int)'],
    [
      'a range type that was given away, whose constructors were not',
      'create type span as range (subtype = int); alter type span owner to app',
    ],
    [
      'functions and procedures of trusted languages',
      `set role app; create function f() returns int language plpgsql as 'begin return 1; end';
       create procedure p() language sql as 'select 1'`,
    ],
  ])('%s: not refused, and a backup is proven', async (_name, sql) => {
    const url = await database('app', sql);
    const preflight = await ran('preflight', url);
    expect(preflight, said(preflight)).toMatchObject({ verdict: 'pass' });
    expect(await ran('backup', url)).toMatchObject({ verdict: 'pass' });
  });

  test.each([
    [
      'whose state is of the type internal',
      `create aggregate listed(anynonarray) (sfunc = array_agg_transfn, stype = internal,
         finalfunc = array_agg_finalfn, finalfunc_extra);
       alter aggregate listed(anynonarray) owner to app`,
      'aggregate listed(anynonarray), whose state is of the type internal',
    ],
    [
      'of the server itself',
      `create function plus(int, int) returns int language internal as 'int4pl';
       alter function plus(int, int) owner to app`,
      'function plus(integer,integer) in internal',
    ],
    [
      'for a window, of the server itself',
      `create function place() returns bigint window language internal as 'window_rank';
       alter function place() owner to app`,
      'function place() in internal',
    ],
    [
      'that is leakproof',
      `create function tight(int) returns int language sql immutable leakproof as 'select $1';
       alter function tight(int) owner to app`,
      'function tight(integer), which is leakproof',
    ],
    [
      'with a support function',
      `create function helped(int) returns int language sql as 'select $1';
       alter function helped(int) support pg_catalog.generate_series_int4_support;
       alter function helped(int) owner to app`,
      'function helped(integer), which has a support function',
    ],
  ])('%s: refused, and no backup could be proven', async (_name, sql, what) => {
    const url = await database('app', sql);
    const preflight = await ran('preflight', url);
    expect(preflight).toMatchObject({
      verdict: 'fail',
      details: [expect.stringContaining(`role app cannot restore ${what}: only a superuser can`)],
    });
    expect(await failureOf(ran('backup', url))).toMatchObject({ code: 'RESTORE_FAILED' });
  });
});

describe('a member that does not inherit', () => {
  const OF_BOSS = `create schema biz authorization boss; set role boss;
    create table biz.b (id int primary key);
    insert into biz.b values (1); reset role; select lo_create(7100); alter large object 7100 owner to boss`;
  let made = 0;
  /** A role of its own for each test, granted what `grants` says of ROLE, and between it and boss BETWEEN. */
  const member = async (grants: string): Promise<string> => {
    const role = `noinh${(made += 1)}`;
    await inPostgres(
      `create role ${role} login noinherit createdb; create role between${made};
       ${grants.replaceAll('ROLE', role).replaceAll('BETWEEN', `between${made}`)}`,
    );
    return role;
  };
  /** Runs each statement that the lines name. */
  const obey = async ({ details = [] }: Receipt): Promise<void> => {
    const named = details.flatMap(
      (line) => line.match(/(?:alter role|grant) [^;:]+?(?=$|;|, or name)/gu) ?? [],
    );
    expect(named).not.toEqual([]);
    for (const statement of named) await inPostgres(statement);
  };

  test.each([
    ['of the owner', 'grant boss to ROLE'],
    ['of a member of the owner', 'grant boss to BETWEEN; grant BETWEEN to ROLE'],
    [
      'of one that does not inherit',
      'alter role BETWEEN noinherit; grant boss to BETWEEN; grant BETWEEN to ROLE',
    ],
    ['of nobody yet', ''],
  ])('%s: what preflight says helps at once', async (_name, grants) => {
    const role = await member(grants);
    const url = await database('boss', OF_BOSS, role);
    const refused = await ran('preflight', url, RESTORES);
    const lines = refused.details!.filter((line) => /does not own biz|large objects/u.test(line));
    expect(lines, said(refused)).toHaveLength(2);
    for (const line of lines) {
      expect(line).toContain(major >= 16 ? 'with inherit true, set true' : `alter role ${role} inherit`);
      expect(line.includes(', because it is a member of boss and does not inherit its rights: '), line).toBe(
        grants !== '',
      );
    }
    expect(said(refused)).toContain(
      grants === ''
        ? `could not take its name: alter database ${new URL(url).pathname.slice(1)} owner to ${role}`
        : 'could not take its name, because it is a member of boss and does not inherit its rights: ',
    );
    await obey(refused);
    const preflight = await ran('preflight', url, RESTORES);
    expect(preflight, said(preflight)).toMatchObject({ verdict: 'pass' });
    expect(await ran('backup', url)).toMatchObject({ verdict: 'pass' });
  });

  test('of pg_signal_backend, where sessions of others are open', async () => {
    const role = await member('grant pg_signal_backend to ROLE; create role stranger login');
    const url = await database(role, `create table a (id int primary key); alter table a owner to ${role}`);
    const stranger = new pg.Client({ connectionString: url.replace(`//${role}@`, '//stranger@') });
    await stranger.connect();
    try {
      const refused = await ran('preflight', url, RESTORES);
      expect(refused.details).toEqual([
        expect.stringMatching(
          /may not end the sessions of stranger.*, because it is a member of pg_signal_backend/u,
        ),
      ]);
      await obey(refused);
      expect(await ran('preflight', url, RESTORES)).toMatchObject({ verdict: 'pass' });
    } finally {
      await stranger.end();
    }
  });

  test('a second login that is one', async () => {
    const role = await member('grant app to ROLE');
    const url = await database('app', 'set role app; create table a (id int primary key)');
    process.env['NOINH_URL'] = url.replace('//app@', `//${role}@`);
    const withLogin = steps.replace('keep: 30d', 'keep: 30d, restore-as: { env: NOINH_URL }');
    const asked = async (step: string) => (await permit(bench, { steps: withLogin, url })).run(step);
    const refused = await asked('preflight');
    expect(said(refused)).toContain(
      `role ${role} may not give a copy to app, the owner of the database, because it is a member of app and`,
    );
    await obey(refused);
    const preflight = await asked('preflight');
    expect(preflight, said(preflight)).toMatchObject({ verdict: 'pass' });
    expect(await asked('backup')).toMatchObject({ verdict: 'pass' });
  });

  test('from PostgreSQL 16 on: one that inherits and may not give', async (context) => {
    if (major < 16) context.skip('needs PostgreSQL 16');
    const role = await member('grant boss to ROLE with inherit true, set false');
    const url = await database('boss', OF_BOSS, role);
    const refused = await ran('preflight', url, RESTORES);
    for (const what of ['biz.b, schema biz', 'this database, so a restore could not take its name'])
      expect(said(refused)).toContain(
        `does not own ${what}, because its membership in boss is without SET: grant boss to ${role} with inherit ` +
          'true, set true',
      );
    expect(await failureOf(ran('backup', url))).toMatchObject({ code: 'RESTORE_FAILED' });
    const own = await database(
      role,
      'alter default privileges for role boss grant select on tables to public',
    );
    expect(await ran('preflight', own)).toMatchObject({ verdict: 'pass' });
    expect(await ran('backup', own)).toMatchObject({ verdict: 'pass' });
    await obey(refused);
    expect(await ran('preflight', url, RESTORES)).toMatchObject({ verdict: 'pass' });
    expect(await ran('backup', url)).toMatchObject({ verdict: 'pass' });
  });
});
