// Limits of a step hold whatever Django's migrations set for their own session: also for those that come
// after it in the same one, and where a transaction is not theirs.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pythonEnvironment, WITHOUT_PYTHON } from '../examples/validation-system/python.ts';
import { type Characters, MIGRATIONS, raiseCharacters } from '../support/characters.ts';
import { BACKUP, type Bench, failureOf, permit, raiseBench } from '../support/hands.ts';

const PATIENCE = 240_000;
/** Longer than anybody may wait: without limits a reader waits for about as long. */
const HELD_MS = 30_000;
const PATIENT_MS = 1_500;
const environment = await pythonEnvironment();
let bench: Bench;
let app: Characters;

const MIGRATE =
  '  - { step: migrate, migrate: { lock-timeout: 50ms, give-up-after: 1s, statement-timeout: 5s } }\n';
const sql = (text: string) => `migrations.RunSQL("${text}", "")`;
const LIFTS = 'set lock_timeout = 0; set statement_timeout = 0';
/** A table that none of the six changes. */
const ALTERS = sql('alter table auth_group add z int');

/** Backed up; behind the six comes one more for each of these operations. */
async function ready(operations: readonly string[], more = '') {
  const names = operations.map((_, at) => `000${8 + at}_more`);
  const pending = [...MIGRATIONS, ...names.map((name) => `characters.${name}`)];
  const hands = await permit(bench, {
    ...(await app.spec(BACKUP + more + MIGRATE, { pending })),
    edit: async (checkout) => {
      for (const [at, operation] of operations.entries())
        await writeFile(
          join(checkout, 'characters/migrations', `${names[at]}.py`),
          `from django.db import migrations\n\nclass Migration(migrations.Migration):\n    dependencies = ` +
            `[("characters", "${names[at - 1] ?? '0007_add_age_constraints'}")]\n` +
            `    operations = [${operation}]\n`,
        );
    },
  });
  await hands.run('backup');
  return hands;
}

describe.skipIf(environment === null)(environment ? 'Django' : WITHOUT_PYTHON, { timeout: PATIENCE }, () => {
  beforeAll(async () => {
    bench = await raiseBench();
    app = await raiseCharacters(bench);
  }, PATIENCE);
  afterAll(() => bench?.stop());

  test.each([
    ['in the same migration', [`${sql(`set application_name = app; ${LIFTS}`)}, ${ALTERS}`]],
    ['by an earlier one', [sql(LIFTS), ALTERS]],
    ['without a transaction', [`${sql(LIFTS)}, ${ALTERS}]\n    atomic = bool([])\n    more = [`]],
  ])('a lock is not waited for any longer: lifted %s', async (_, operations) => {
    const hands = await ready(operations);
    const open = async (application_name: string) => {
      const client = new pg.Client({ connectionString: hands.url, application_name });
      await client.connect();
      return client;
    };
    const [report, reader] = [await open('nightly-report'), await open('reader')];
    await report.query('begin; select count(*) from auth_group');
    const timer = setTimeout(() => void report.end(), HELD_MS);
    let [over, waitedMs] = [false, 0];
    const reading = (async () => {
      while (!over) {
        const started = performance.now();
        await reader.query('select count(*) from auth_group');
        waitedMs = Math.max(waitedMs, performance.now() - started);
        await new Promise((next) => setTimeout(next, 10));
      }
    })();
    const failure = await failureOf(hands.run('migrate')).finally(() => (over = true));
    clearTimeout(timer);
    await Promise.all([reading, report.end()]);
    await reader.end();
    expect(failure).toMatchObject({
      code: 'LOCK_NOT_GIVEN',
      message: expect.stringMatching(/characters\.\d+_more did not get its lock in ([2-9]|\d\d) tries/u),
      details: expect.stringContaining('nightly-report (pid '),
    });
    expect(waitedMs).toBeLessThan(PATIENT_MS);
  });

  test('a statement runs no longer', async () => {
    const hands = await ready([`${sql(LIFTS)}, ${sql('select pg_sleep(12)')}`]);
    expect(await failureOf(hands.run('migrate'))).toMatchObject({
      code: 'MIGRATION_FAILED',
      message: expect.stringContaining('characters.0008_more failed with SQLSTATE 57014'),
      details: expect.stringContaining('raise statement-timeout in the plan'),
    });
  });

  test('what sets them is named beforehand', async () => {
    const hands = await ready(
      [sql(LIFTS)],
      '  - { step: preview, preview: { lint: warn, rehearse: skip } }\n',
    );
    expect((await hands.run('preview')).details).toContainEqual(
      expect.stringMatching(
        /^characters\.0008_more names lock_timeout .*: whatever it sets, the limits of the plan hold$/u,
      ),
    );
  });
});
