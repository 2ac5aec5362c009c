// What a restore would fail for or leave behind beside the database itself: a prepared transaction, which
// nobody can end from outside, and a logical replication slot, which stays with the database put aside.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BACKUP, type Bench, type Hands, MIGRATE, permit, query, raiseBench } from '../support/hands.ts';
import { people, restoredBy } from '../support/restoring.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await raiseBench(['wal_level=logical', 'max_prepared_transactions=8']);
});
afterAll(() => bench?.stop());

const steps = `  - { step: preflight, preflight: {} }\n${BACKUP}${MIGRATE}`;
const BACK = ', back: { approved: { roles: [dba] }, loses: writes-since-backup }';
const ready = (fallbacks = BACK) => permit(bench, { steps, fallbacks, people });

const restored = (hands: Hands) => restoredBy(hands, 'back');

describe('prepared transactions of this database', () => {
  const prepare = (hands: Hands, ...gids: readonly string[]) =>
    Promise.all(
      gids.map((gid) =>
        query(
          hands.url,
          `begin; update orders set total_cents = 1 where id = ${gids.indexOf(gid) + 1};
           prepare transaction '${gid.replace("'", "''")}'`,
        ),
      ),
    );
  const finish = async (hands: Hands) => {
    for (const { gid } of await query<{ gid: string }>(
      hands.url,
      'select quote_literal(gid) as gid from pg_prepared_xacts',
    ))
      await query(hands.url, `rollback prepared ${gid}`);
  };

  test('where a fallback restores: refused, because the names could not be swapped', async () => {
    const hands = await ready();
    await hands.run('backup');
    await prepare(hands, "o'clock");
    try {
      const refused = await hands.run('preflight');
      expect(refused).toMatchObject({
        verdict: 'fail',
        details: [
          "prepared transactions are open in this database: 'o''clock' of postgres; while they are, a restore " +
            'cannot take its name; their owner or a superuser ends each, in this database: commit prepared ' +
            "'o''clock' or rollback prepared 'o''clock'",
        ],
      });
      const rename = `alter database ${new URL(hands.url).pathname.slice(1)} rename to not_now`;
      await expect(query(bench.postgres.url('postgres'), rename)).rejects.toMatchObject({
        code: '55006',
        detail: expect.stringContaining('1 prepared transaction'),
      });
      await query(hands.url, refused.summary.split(' or ').at(-1)!);
      expect(await hands.run('preflight')).toMatchObject({ verdict: 'pass' });
      expect(await restored(hands)).toMatchObject({ done: true });
    } finally {
      await finish(hands);
    }
  });

  test('where none does: named, and nothing is refused; those of other databases concern nobody', async () => {
    const [hands, other] = [await ready(''), await ready()];
    await prepare(hands, 'a', 'b', 'c', 'd', 'e', 'f');
    try {
      const receipt = await hands.run('preflight');
      expect(receipt).toMatchObject({
        verdict: 'pass',
        summary: expect.stringMatching(/^\d+ conditions hold; note: prepared transactions are open/u),
        details: expect.arrayContaining([
          expect.stringMatching(/'\w' of postgres and 1 more; they keep their locks/u),
        ]),
      });
      const otherwise = await other.run('preflight');
      expect(otherwise).toMatchObject({ verdict: 'pass', summary: expect.not.stringContaining('note') });
      // A note is no condition: with or without it their number is the same, but for the right to restore.
      expect(Number.parseInt(otherwise.summary, 10) - Number.parseInt(receipt.summary, 10)).toBe(1);
    } finally {
      await finish(hands);
    }
  });
});

describe('a logical replication slot of this database', () => {
  const slots = (sql: string) => query(bench.postgres.url('postgres'), sql);
  const made = (hands: Hands, name: string) =>
    query(hands.url, `select pg_create_logical_replication_slot('${name}', 'pgoutput')`);

  test('is named where a fallback restores, refuses nothing, and stays behind as was said', async () => {
    const hands = await ready();
    await made(hands, 'cdc');
    const aside = `sg_${hands.rollout.hash}_replaced`;
    const receipt = await hands.run('preflight');
    const line =
      'logical replication slot cdc (pgoutput) would stay with the replaced database: after a restore its ' +
      'consumer gets nothing more, and it keeps WAL for as long as nobody reads it; drop it after a restore, in ' +
      `${aside} (select pg_drop_replication_slot('cdc')), and create it anew, or remove the fallback back`;
    expect(receipt).toMatchObject({
      verdict: 'pass',
      summary: expect.stringContaining(` conditions hold; note: ${line}`),
      details: expect.arrayContaining([line]),
    });
    await hands.run('backup');
    expect(await restored(hands)).toMatchObject({ done: true });
    expect(await slots("select database from pg_replication_slots where slot_name = 'cdc'")).toEqual([
      { database: aside },
    ]);
    await query(bench.postgres.url(aside), "select pg_drop_replication_slot('cdc')");
    await made(hands, 'cdc');
    await query(hands.url, "select pg_drop_replication_slot('cdc')");
  });

  test('is named beside what is refused', async () => {
    const hands = await permit(bench, {
      steps: steps.replace('preflight: {}', 'preflight: { tools: [no-such-tool] }'),
      fallbacks: BACK,
    });
    await made(hands, 'beside');
    try {
      expect(await hands.run('preflight')).toMatchObject({
        verdict: 'fail',
        summary: "no-such-tool is not on the worker's path",
        details: [
          "no-such-tool is not on the worker's path",
          expect.stringContaining('logical replication slot beside'),
        ],
      });
    } finally {
      await query(hands.url, "select pg_drop_replication_slot('beside')");
    }
  });

  test('not where nothing restores, nor one of another database, physical or temporary', async () => {
    const [hands, other] = [await ready(''), await ready()];
    await made(hands, 'elsewhere');
    await slots("select pg_create_physical_replication_slot('physical')");
    const passing = new pg.Client({ connectionString: other.url });
    await passing.connect();
    await passing.query("select pg_create_logical_replication_slot('passing', 'pgoutput', true)");
    try {
      for (const asked of [hands, other]) {
        const receipt = await asked.run('preflight');
        expect(receipt).toMatchObject({ verdict: 'pass' });
        expect(receipt.details?.join('\n')).not.toContain('slot');
      }
    } finally {
      await passing.end();
      await slots("select pg_drop_replication_slot('physical')");
      await query(hands.url, "select pg_drop_replication_slot('elsewhere')");
    }
  });
});

test('a tablespace in which the role may make no database: refused, and what is printed helps', async () => {
  await query(bench.postgres.url('postgres'), 'create role mover login createdb');
  // One that needs no folder of its own; only such a session may make it.
  const client = new pg.Client({ connectionString: bench.postgres.url('postgres') });
  await client.connect();
  try {
    await client.query('set allow_in_place_tablespaces = on');
    await client.query('create tablespace "Fast one" location \'\'');
    await client.query('create database placed owner mover tablespace "Fast one"');
    await client.query('alter role mover with replication; grant pg_signal_backend to mover');
  } finally {
    await client.end();
  }
  const url = bench.postgres.url('placed').replace('//postgres@', '//mover@');
  const hands = await permit(bench, { steps, fallbacks: BACK, people, url });
  const refused = await hands.run('preflight');
  expect(refused.details).toContain(
    'role mover may not create databases in tablespace "Fast one", where this one lies, so a restore would ' +
      'lie elsewhere: grant create on tablespace "Fast one" to mover',
  );
  await query(bench.postgres.url('postgres'), 'grant create on tablespace "Fast one" to mover');
  expect((await hands.run('preflight')).details?.join() ?? '').not.toContain('tablespace');
});
