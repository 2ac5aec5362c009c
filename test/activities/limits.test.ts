// Limits of a step hold whatever its files set for their own session: on a real server, with a report in the
// way and somebody who reads meanwhile.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BACKUP, type Bench, failureOf, type Hands, permit, PREVIEW, raiseBench } from '../support/hands.ts';

let bench: Bench;
beforeAll(async () => void (bench = await raiseBench()));
afterAll(() => bench?.stop());

const LIMITS = 'lock-timeout: 50ms, give-up-after: 1s, statement-timeout: 1s';
const MIGRATE = `  - { step: migrate, migrate: { ${LIMITS} } }\n`;
const SQL = `  - { step: names, sql: { file: names.sql, undo: names.undo.sql, ${LIMITS} } }\n`;
/** Longer than anybody may wait: without limits a reader waits for about as long. */
const HELD_MS = 4_000;
const PATIENT_MS = 1_500;
const UP = 'alter table orders add column z int;';
const DOWN = 'alter table orders drop column z;';
const DUMPED = 'SET statement_timeout = 0;\nSET lock_timeout = 0;\n';

interface Files {
  readonly up?: string;
  readonly down?: string;
}

/** Backed up; the next step is migrate, with one file there and back, or the step `names`. */
async function ready({ up = UP, down = DOWN }: Files, steps = BACKUP + PREVIEW + MIGRATE): Promise<Hands> {
  const hands = await permit(bench, {
    steps,
    pending: '0004_z',
    edit: async (checkout) => {
      await mkdir(join(checkout, 'migrations'), { recursive: true });
      for (const [name, text] of [
        ['migrations/0004_z.sql', up],
        ['migrations/0004_z.down.sql', down],
        ['names.sql', up],
        ['names.undo.sql', down],
      ] as const)
        await writeFile(join(checkout, name), text);
    },
  });
  await hands.sql("insert into schema_migrations values ('0002_order_guards'), ('0003_order_totals')");
  await hands.run('backup');
  return hands;
}
const hasColumn = async (hands: Hands) =>
  (await hands.sql("select from pg_attribute where attname = 'z' and attrelid = 'orders'::regclass"))
    .length === 1;

/** While a report keeps `orders`: what came of the act, and how long a reader has waited at most. */
async function held<T>(hands: Hands, act: () => Promise<T>) {
  const open = async (application_name: string) => {
    const client = new pg.Client({ connectionString: hands.url, application_name });
    await client.connect();
    return client;
  };
  const [report, reader] = [await open('nightly-report'), await open('reader')];
  await report.query('begin; select count(*) from orders');
  const ended = new Promise((end) => setTimeout(end, HELD_MS)).then(() => report.end());
  let [over, waitedMs] = [false, 0];
  const reading = (async () => {
    while (!over) {
      const started = performance.now();
      await reader.query('select count(*) from orders');
      waitedMs = Math.max(waitedMs, performance.now() - started);
      await new Promise((next) => setTimeout(next, 10));
    }
  })();
  const came = await act().finally(() => (over = true));
  await Promise.all([reading, ended]);
  await reader.end();
  return { came, waitedMs };
}

describe('a lock', () => {
  test.each([
    ['as pg_dump writes it', DUMPED],
    ['SET LOCAL', 'set local lock_timeout to default;'],
    ['SET SESSION', "set session lock_timeout = '1h';"],
    ['RESET', 'reset lock_timeout;'],
    ['RESET ALL', 'reset all;'],
    ['set_config', "select set_config('lock_' || 'timeout', '0', true);"],
    ['DO', "do $$ begin execute 'set lock_timeout = 0'; end $$;"],
    [
      'a function',
      'create function own() returns void language plpgsql set lock_timeout = 0 as ' +
        '$$ begin alter table orders add y int; end $$; select own();',
    ],
    ['another name', 'set application_name = app; set lock_timeout = 0;'],
  ])('%s: it is not waited for any longer, and the report in the way is named', async (_, lifts) => {
    const hands = await ready({ up: `${lifts}\n${UP}` });
    const { came, waitedMs } = await held(hands, () => failureOf(hands.run('migrate')));
    expect(came).toMatchObject({
      code: 'LOCK_NOT_GIVEN',
      message: expect.stringMatching(/0004_z did not get its lock in ([2-9]|\d\d) tries of 50 ms/u),
      details: expect.stringContaining('nightly-report (pid '),
    });
    expect(came.details).toContain('Soakgate has ended the waiting');
    expect(waitedMs).toBeLessThan(PATIENT_MS);
    expect(await hasColumn(hands)).toBe(false);
  });

  test('nor by a way down', async () => {
    const hands = await ready({ down: DUMPED + DOWN });
    await hands.run('migrate');
    const { came, waitedMs } = await held(hands, () => hands.undo('migrate'));
    expect(came).toMatchObject({ done: true, summary: expect.stringContaining('waited for nightly-report') });
    expect(came.summary).toContain('0004_z names statement_timeout (line 1), lock_timeout (line 2)');
    expect(waitedMs).toBeLessThan(PATIENT_MS);
    expect(await hasColumn(hands)).toBe(false);
  });

  test('nor by a step `sql` and its undo', async () => {
    const hands = await ready({ up: DUMPED + UP, down: DUMPED + DOWN }, BACKUP + SQL + MIGRATE);
    const up = await held(hands, () => failureOf(hands.run('names')));
    expect(up.came).toMatchObject({ code: 'LOCK_NOT_GIVEN' });
    expect(await hands.run('names', { attempt: 2 })).toMatchObject({
      verdict: 'pass',
      details: [expect.stringContaining('names.sql names statement_timeout (line 1), lock_timeout (line 2)')],
    });
    const down = await held(hands, () => hands.undo('names'));
    expect(down.came).toMatchObject({ done: true });
    expect(Math.max(up.waitedMs, down.waitedMs)).toBeLessThan(PATIENT_MS);
  });

  test('nor while the session that watches is ended by somebody', async () => {
    const hands = await ready({ up: DUMPED + UP });
    const kill = setInterval(
      () =>
        void hands.sql(
          "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'sg:%' " +
            "and state = 'idle' and query like '%pg_cancel_backend%'",
        ),
      300,
    );
    const { came, waitedMs } = await held(hands, () => failureOf(hands.run('migrate')));
    clearInterval(kill);
    expect(came).toMatchObject({ code: 'LOCK_NOT_GIVEN' });
    expect(waitedMs).toBeLessThan(PATIENT_MS);
  });
});

describe('a statement', () => {
  test.each([
    ['SET', `${DUMPED} select pg_sleep(6);`],
    ['DO', "do $$ begin perform set_config('statement_timeout', '0', false); end $$; select pg_sleep(6);"],
    ['its own name', 'set application_name = app; set statement_timeout = 0; select pg_sleep(6);'],
  ])('%s: it runs no longer, and what to do is said', async (_, lifts) => {
    const hands = await ready({ up: `${UP} ${lifts}` });
    const started = performance.now();
    expect(await failureOf(hands.run('migrate'))).toMatchObject({
      code: 'MIGRATION_FAILED',
      message: expect.stringContaining('0004_z failed with SQLSTATE 57014'),
      details: expect.stringContaining('raise statement-timeout in the plan'),
    });
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(await hasColumn(hands)).toBe(false);
  });
});

test('a shorter limit that a file leaves behind does not hit what is written after it', async () => {
  const hands = await ready({ up: `${UP} set statement_timeout = '100ms';` });
  await hands.sql(
    `create function slow() returns trigger language plpgsql as
       $$ begin perform pg_sleep(0.4); return new; end $$;
     create trigger slow before insert on schema_migrations for each row execute function slow()`,
  );
  expect(await hands.run('migrate')).toMatchObject({ verdict: 'pass' });
});

test('a file as pg_dump begins it is told of beforehand, runs, and is told of in the receipt', async () => {
  const hands = await ready({ up: DUMPED + UP, down: `reset all; ${DOWN}` });
  const names = '0004_z names statement_timeout (line 1), lock_timeout (line 2): ';
  const beforehand = [
    `${names}whatever it sets, the limits of the plan hold`,
    '0004_z, down, names RESET ALL (line 1): whatever it sets, the limits of the plan hold',
  ];
  expect(await hands.run('pending')).toMatchObject({ verdict: 'pass', details: ['0004_z', ...beforehand] });
  const { verdict, details } = await hands.run('preview');
  expect(verdict).toBe('pass');
  expect(details).toEqual(expect.arrayContaining(beforehand));
  expect(await hands.run('migrate')).toMatchObject({
    verdict: 'pass',
    details: [
      expect.stringMatching(/^0004_z: \d+ ms$/u),
      `${names}whatever it sets, no lock is waited for longer than 50ms and no statement runs longer than 1s`,
    ],
  });
  expect(await hasColumn(hands)).toBe(true);
});
