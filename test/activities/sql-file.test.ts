// The step `sql` on a real server: once or not at all, killed or not, and taken back by its own file.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Comparison } from '../../src/core/activities.ts';
import { planFiles } from '../../src/core/plan/files.ts';
import { complaintsOf, edited, planOf as parsed, smallPlan } from '../core/plan/small-plan.ts';
import { BACKUP, type Bench, failureOf, type Hands, MIGRATE, permit, raiseBench } from '../support/hands.ts';

let bench: Bench;
beforeAll(async () => void (bench = await raiseBench()));
afterAll(() => bench?.stop());

const STEP =
  '  - { step: names, sql: { file: sql/names.sql, undo: sql/names.undo.sql, give-up-after: 2s } }\n';
const SQL = "create table renamed as select id, name from customers; update customers set name = name || '!'";
const UNDO = 'update customers c set name = r.name from renamed r where r.id = c.id; drop table renamed';

/** Permitted and backed up, with these files in the checkout. */
async function ready(sql = SQL, undo = UNDO): Promise<Hands> {
  const hands = await permit(bench, {
    steps: BACKUP + STEP + MIGRATE,
    edit: async (checkout) => {
      await mkdir(join(checkout, 'sql'));
      await writeFile(join(checkout, 'sql/names.sql'), sql);
      await writeFile(join(checkout, 'sql/names.undo.sql'), undo);
    },
  });
  await hands.run('backup');
  return hands;
}
const named = async (hands: Hands) =>
  (await hands.sql<{ n: number }>("select count(*)::int as n from customers where name like '%!'"))[0]!.n;
const twice = async (hands: Hands) =>
  (await hands.sql<{ n: number }>("select count(*)::int as n from customers where name like '%!!'"))[0]!.n;
const compare = (hands: Hands) =>
  hands.call<Comparison>('compareRollback', { rollout: hands.rollout, ran: [] });

describe('a reviewed SQL file', () => {
  test('runs once, however often it is tried, and its undo file takes it back', async () => {
    const hands = await ready();
    expect(await hands.run('names')).toMatchObject({ verdict: 'pass', kind: 'sqlFile' });
    expect(await hands.run('names', { attempt: 2 })).toMatchObject({
      summary: 'sql/names.sql: already applied',
    });
    expect([await named(hands), await twice(hands)]).toEqual([20, 0]);
    expect(await hands.undo('names')).toMatchObject({ done: true });
    expect(await hands.undo('names', { attempt: 2 })).toMatchObject({ summary: 'the file has left nothing' });
    expect(await compare(hands)).toMatchObject({ equal: true, differences: [] });
  });

  test.each([
    ['COMMIT', `${SQL}; COMMIT; select 1 / 0`, UNDO],
    ['BEGIN', `BEGIN; ${SQL}; END`, UNDO],
    ['\\!', `${SQL};\n\\! touch /tmp/soakgate-was-here`, UNDO],
    ['COMMIT in its undo', SQL, `${UNDO}; commit`],
  ])('%s: refused before anything of it is run', async (_, up, down) => {
    const hands = await ready(up, down);
    expect(await failureOf(hands.run('names'))).toMatchObject({ code: 'SQL_NOT_ONE_TRANSACTION' });
    expect(await hands.undo('names')).toMatchObject({ summary: 'the file has left nothing' });
    expect(await compare(hands)).toMatchObject({ equal: true, differences: [] });
  });

  test(
    'killed in its middle it has left nothing; the undo finds nothing to do, and the next attempt does ' +
      'it all',
    async () => {
      const hands = await ready(
        `${SQL}; select pg_sleep(case when (select count(*) from slow) > 0 then 60 else 0 end)`,
      );
      await hands.sql('create table slow as select 1');
      const cancelWhenRunning = (environment: MockActivityEnvironment) => {
        const poll = setInterval(() => {
          void hands
            .sql("select from pg_stat_activity where query like '%pg_sleep%' and wait_event = 'PgSleep'")
            .then((rows) => rows.length > 0 && (clearInterval(poll), environment.cancel()));
        }, 50);
      };
      await expect(hands.run('names', { during: cancelWhenRunning })).rejects.toThrow();
      expect(await hands.undo('names')).toMatchObject({ summary: 'the file has left nothing' });
      expect(await named(hands)).toBe(0);
      await hands.sql('truncate slow');
      await hands.run('names', { attempt: 2 });
      expect([await named(hands), await twice(hands)]).toEqual([20, 0]);
    },
  );

  test('a statement that fails leaves nothing, and is told with its SQLSTATE', async () => {
    const hands = await ready(`${SQL}; select 1 / 0`);
    expect(await failureOf(hands.run('names'))).toMatchObject({
      code: 'MIGRATION_FAILED',
      message: expect.stringContaining('22012'),
    });
    expect(await named(hands)).toBe(0);
  });

  test('without a proven backup it does not run', async () => {
    const hands = await permit(bench, { steps: BACKUP + STEP + MIGRATE });
    expect(await failureOf(hands.run('names'))).toMatchObject({ code: 'BACKUP_MISSING' });
  });
});

describe('a plan with a step `sql`', () => {
  const BEFORE = '  - { step: migrate,';
  const with_ = (...edits: Parameters<typeof edited>[1][]) =>
    edited(smallPlan, [BEFORE, STEP + BEFORE], ...edits);

  test('names both files for review, and is refused without its undo or before a backup', () => {
    expect(planFiles(parsed(with_()))).toEqual(
      expect.arrayContaining(['sql/names.sql', 'sql/names.undo.sql']),
    );
    expect(complaintsOf(with_([', undo: sql/names.undo.sql', ''])).map(({ path }) => path)).toEqual([
      'steps[5].sql.undo',
    ]);
    const first = edited(smallPlan, ['steps:\n', `steps:\n${STEP}`]);
    expect(complaintsOf(first).map(({ message }) => message)).toEqual([
      'changes the database before a backup is proven in staging and production',
    ]);
  });
});
