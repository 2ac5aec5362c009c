// An ordinary owner on a managed server: what its login may not restore, a second login restores by reference; or
// the proof leaves out owners and privileges, and says so wherever the backup is spoken of.
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Comparison } from '../../src/core/activities.ts';
import { parsePlan } from '../../src/core/plan/parse.ts';
import {
  type Bench,
  failureOf,
  type Hands,
  MIGRATE,
  permit,
  planOf,
  query,
  raiseBench,
} from '../support/hands.ts';
import { needsExtensions, said } from '../support/field-case.ts';
import { judge } from '../support/judge.ts';
import { ranNow } from '../support/programs.ts';
import { people, restoredBy, RESTORES } from '../support/restoring.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await raiseBench();
  await inPostgres('create role app login createdb; create role boss; create role reader');
  process.env['MANAGED_RESTORE_URL'] = bench.postgres.url('postgres');
});
afterAll(() => bench?.stop());

const inPostgres = (sql: string) => query(bench.postgres.url('postgres'), sql);
const backup = (how: string) =>
  `  - { step: preflight, preflight: {} }\n  - { step: backup, backup: { keep: 30d${how} } }\n${MIGRATE}`;
const RESTORE_AS = ', restore-as: { env: MANAGED_RESTORE_URL }';

const inTheWay = [
  ['a schema public of before 15', 'alter schema public owner to boss; grant create on schema public to app'],
  [
    "another's table and function",
    `create table b (id int primary key); insert into b values (1), (2); alter table b owner to boss;
     grant select on b to app;
     create function f() returns int language sql as 'select 1'; alter function f() owner to boss`,
  ],
  ["another's default privileges", 'alter default privileges for role boss grant select on tables to reader'],
  ['an extension that only a superuser can make', 'create extension pageinspect'],
  [
    'an event trigger, a publication of all tables',
    `create function ev() returns event_trigger language plpgsql as 'begin end'; alter function ev() owner to app;
     create event trigger w on ddl_command_end when tag in ('CREATE SERVER') execute function ev();
     create publication p for all tables`,
  ],
  [
    "a grant by another's hand",
    'grant select on a to boss with grant option; set role boss; grant select on a to reader',
  ],
] as const;

async function ownedByApp(sql: string): Promise<string> {
  const name = `m${randomUUID().slice(0, 8)}`;
  await inPostgres(`create database ${name} owner app`);
  const url = bench.postgres.url(name);
  await query(
    url,
    `set role app; create table a (id int primary key, v text); create index a_v on a (v);
     insert into a select n, 'v' || n from generate_series(1, 40) n; reset role; ${sql}`,
  );
  return url.replace('//postgres@', '//app@');
}

/** The judge restores the proven dump as a superuser, with or without owners, and compares with pg_dump and md5. */
async function judged(hands: Hands, owners: readonly string[]): Promise<void> {
  const name = `j${randomUUID().slice(0, 8)}`;
  await inPostgres(`create database ${name} template template0`);
  const dump = await hands.world.artifacts.path(`rollouts/${hands.rollout.hash}/backup.dump`);
  const target = bench.postgres.url(name);
  ranNow(join(bench.postgres.bin, 'pg_restore'), ['--exit-on-error', ...owners, '--dbname', target, dump]);
  const { schema: _is, ...is } = await judge(target);
  const { schema: _was, ...was } = await judge(hands.url.replace('//app@', '//postgres@'));
  expect(is).toEqual(was);
}

const scratches = (hands: Hands) =>
  inPostgres(`select datname from pg_database where datname like 'sg\\_${hands.rollout.hash}%'`);

describe('a second login restores', () => {
  test.for(inTheWay)('%s', async ([, sql], context) => {
    await needsExtensions(context, bench.postgres.url('postgres'), sql);
    const url = await ownedByApp(sql);
    const alone = await permit(bench, { steps: backup(''), url });
    expect(await alone.run('preflight')).toMatchObject({ verdict: 'fail' });
    const hands = await permit(bench, { steps: backup(RESTORE_AS), url, fallbacks: RESTORES });
    const preflight = await hands.run('preflight');
    said(context, preflight.summary);
    expect(preflight, preflight.details?.join('\n')).toMatchObject({ verdict: 'pass' });
    expect(preflight.details).toContain('role postgres restores on the same server');
    expect(await hands.run('backup')).toMatchObject({
      verdict: 'pass',
      summary: expect.not.stringContaining('without owners'),
    });
    await judged(hands, []);
    const [copy] = await inPostgres(
      `select pg_get_userbyid(datdba) as owner from pg_database where datname like 'sg\\_${hands.rollout.hash}%'`,
    );
    expect(copy, 'a copy belongs to whom the target belongs to').toEqual({ owner: 'app' });
    await hands.call('closeRollout', { rollout: hands.rollout, outcome: 'failed' });
    expect(await scratches(hands)).toEqual([]);
  });

  test('and gives the target back whole, under its own owner', async () => {
    const url = await ownedByApp(inTheWay[0][1]);
    const hands = await permit(bench, {
      steps: backup(RESTORE_AS),
      url,
      fallbacks: RESTORES,
      people,
    });
    const before = await judge(url.replace('//app@', '//postgres@'));
    await hands.run('backup');
    await query(url, 'drop table a');
    const receipt = await restoredBy(hands);
    expect(receipt, JSON.stringify(receipt)).toMatchObject({ done: true });
    expect(await judge(url.replace('//app@', '//postgres@'))).toEqual(before);
    expect(
      await hands.call<Comparison>('compareRollback', { rollout: hands.rollout, ran: [] }),
    ).toMatchObject({ equal: true });
    const name = new URL(url).pathname.slice(1);
    expect(
      await inPostgres(`select pg_get_userbyid(datdba) as owner from pg_database where datname = '${name}'`),
    ).toEqual([{ owner: 'app' }]);
  });

  test('a target whose own login does not own it, and an attempt that was killed while it was closed', async () => {
    const name = `m${randomUUID().slice(0, 8)}`;
    await inPostgres(`create database ${name} owner boss`);
    await inPostgres(`grant create on database ${name} to app`);
    const url = bench.postgres.url(name).replace('//postgres@', '//app@');
    await query(
      bench.postgres.url(name),
      'grant all on schema public to app; set role app; create table a (id int primary key); insert into a values (1)',
    );
    const hands = await permit(bench, {
      steps: backup(RESTORE_AS),
      url,
      fallbacks: RESTORES,
      people,
    });
    const preflight = await hands.run('preflight');
    expect(preflight, preflight.details?.join('\n')).toMatchObject({ verdict: 'pass' });
    await hands.run('backup');
    const copy = `sg_${hands.rollout.hash}_scratch`;
    await query(bench.postgres.url(copy).replace('//postgres@', '//app@'), 'create schema as_in_the_target');
    await query(url, 'delete from a');
    await inPostgres(`alter database ${name} with allow_connections false`);
    expect(await restoredBy(hands)).toMatchObject({ done: true });
    expect(await query(url, 'select id from a')).toEqual([{ id: 1 }]);
    expect(
      await inPostgres(`select pg_get_userbyid(datdba) as owner from pg_database where datname = '${name}'`),
    ).toEqual([{ owner: 'boss' }]);
  });

  test('an address of another server is refused before anything is done, also under the same name', async () => {
    const other = await raiseBench();
    try {
      await query(other.postgres.url('postgres'), 'create role app login');
      const url = await ownedByApp('select 1');
      await query(other.postgres.url('postgres'), `create database ${new URL(url).pathname.slice(1)}`);
      process.env['OTHER_RESTORE_URL'] = other.postgres.url('postgres');
      const steps = backup(', restore-as: { env: OTHER_RESTORE_URL }');
      for (const as of ['postgres', 'app']) {
        process.env['OTHER_RESTORE_URL'] = other.postgres.url('postgres').replace('//postgres@', `//${as}@`);
        const hands = await permit(bench, { steps, url });
        const { verdict, details } = await hands.run('preflight');
        expect([verdict, details?.join('\n')]).toEqual([
          'fail',
          expect.stringContaining('is of another server'),
        ]);
        expect((await failureOf(hands.run('backup'))).message).toContain('nothing was restored there');
        expect(
          await query(other.postgres.url('postgres'), "select from pg_database where datname like 'sg\\_%'"),
        ).toEqual([]);
      }
    } finally {
      await other.stop();
    }
  });

  test('what is no address is said so, without its words', async () => {
    process.env['NO_ADDRESS'] = 'hidden words';
    const steps = backup(', restore-as: { env: NO_ADDRESS }');
    const hands = await permit(bench, { steps, url: await ownedByApp('select 1') });
    const failure = await failureOf(hands.run('preflight'));
    expect(failure).toMatchObject({
      code: 'SECRET_MISSING',
      message: expect.stringContaining('is no address'),
    });
    expect(JSON.stringify(failure)).not.toContain('hidden words');
  });

  test('a password in its address is in nothing that is written', async () => {
    await inPostgres("create role keeper login superuser password 'hidden-in-the-address'");
    process.env['KEEPER_URL'] = bench.postgres
      .url('postgres')
      .replace('//postgres@', '//keeper:hidden-in-the-address@');
    const url = await ownedByApp("create type mood as enum ('a'); alter type mood owner to boss");
    const hands = await permit(bench, { steps: backup(', restore-as: { env: KEEPER_URL }'), url });
    const receipt = await hands.run('backup');
    expect(receipt).toMatchObject({ verdict: 'pass' });
    expect(JSON.stringify(receipt)).not.toContain('hidden-in-the-address');
    const written = dirname(hands.root);
    expect(() => ranNow('grep', ['-rlF', 'hidden-in-the-address', written])).toThrow(/grep/u);
  });
});

describe('a proof without owners and privileges', () => {
  test.for(inTheWay.filter(([, sql]) => !sql.includes('extension') && !sql.includes('event')))(
    '%s',
    async ([, sql], context) => {
      const url = await ownedByApp(sql);
      const hands = await permit(bench, { steps: backup(', owners: false'), url });
      const preflight = await hands.run('preflight');
      expect(preflight, preflight.details?.join('\n')).toMatchObject({ verdict: 'pass' });
      const receipt = await hands.run('backup');
      said(context, receipt.summary);
      expect(receipt).toMatchObject({
        verdict: 'pass',
        summary: expect.stringContaining('objects equal, without owners and privileges (dump'),
        details: expect.arrayContaining([
          'not compared: owners and privileges, which the proof did not restore (owners: false)',
        ]),
      });
      await judged(hands, ['--no-owner', '--no-privileges']);
    },
  );

  test('a plan that would restore from it is refused', () => {
    const parsed = parsePlan(
      planOf({ steps: backup(', owners: false'), fallbacks: RESTORES, port: 1 }),
      'plan.yaml',
    );
    expect('complaints' in parsed && parsed.complaints.map(({ message }) => message).join('\n')).toContain(
      'proven without owners and privileges (owners: false), which this restore would lose',
    );
  });
});
