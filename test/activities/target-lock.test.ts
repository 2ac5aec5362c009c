// Rule 4 on a real server: what an earlier attempt left is ended before the next one writes; a later attempt
// fences the earlier one.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sql as migrator } from '../../activities/migrators/sql.ts';
import { StepFailure } from '../../src/core/failures.ts';
import { sessionTag } from '../../src/core/ids.ts';
import { processStartTime, runCommand } from '../../src/io/command.ts';
import { fenceGuard, openRollout, raiseFence } from '../../src/io/fence.ts';
import { takeTargetLock } from '../../src/io/target-lock.ts';
import { connect, pgEnvironment, withDatabase, withSession } from '../../src/io/postgres.ts';
import {
  BACKUP,
  type Bench,
  DATA,
  failureOf,
  type Hands,
  MIGRATE,
  permit,
  raiseBench,
} from '../support/hands.ts';

let bench: Bench;
beforeAll(async () => void (bench = await raiseBench()));
afterAll(() => bench?.stop());

const RUN =
  `  - { step: touch, run: { command: [psql, -Xqc, "update customers set name = 'touched'"], changes: ` +
  `[database], undo: { command: [psql, -Xqc, "select 1"] } } }\n`;
const steps = BACKUP + DATA + RUN + MIGRATE;
async function ready(): Promise<Hands> {
  const hands = await permit(bench, { steps });
  await hands.run('backup');
  await hands.run('data: fix');
  return hands;
}
const code = async (running: Promise<unknown>) =>
  running.then(
    () => 'none',
    (error: unknown) => (error instanceof StepFailure ? error.code : String(error)),
  );
const ups = async (hands: Hands) =>
  Number(
    (
      await hands.sql<{ n: string }>(
        "select count(*) as n from audit.change_ledger where what = 'up 0002_order_guards'",
      )
    )[0]?.n,
  );
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('a psql of an earlier attempt that lives on', () => {
  /** Sleeps, then applies the migration by itself, as an orphan does after `kill -9` of its worker. */
  function orphan(hands: Hands): ChildProcess {
    const tag = sessionTag(hands.rollout, hands.step('migrate').index, 'aaaaaaaaaaaa');
    const file = join(hands.checkout, 'migrations/0002_order_guards.sql');
    const drop = join(hands.checkout, 'migrations/0002_order_guards.down.sql');
    return spawn(
      join(bench.postgres.bin, 'psql'),
      ['-Xq', '-c', 'select pg_sleep(2)', '-f', drop, '-f', file],
      {
        env: { ...process.env, ...pgEnvironment(hands.url, tag) },
        detached: true,
        stdio: 'ignore',
      },
    );
  }

  async function untilAtWork(hands: Hands): Promise<void> {
    while (
      (
        await hands.sql(
          "select from pg_stat_activity where application_name like 'sg:%:aaaaaaaaaaaa' and state = 'active'",
        )
      ).length === 0
    )
      await sleep(20);
  }

  test('without a note of its process: its session is ended before the retry begins; applied once', async () => {
    const hands = await ready();
    const earlier = orphan(hands);
    await untilAtWork(hands);
    expect(await hands.run('migrate', { attempt: 2 })).toMatchObject({ verdict: 'pass' });
    await sleep(2_500);
    expect(await ups(hands)).toBe(1);
    expect(processStartTime(earlier.pid!)).toBeUndefined();
    expect(await hands.log('migrate')).toContain('ended what an earlier attempt left: session sg:');
  });

  test('with its note: the whole process group is ended', async () => {
    const hands = await ready();
    process.env['SOAKGATE_SETPRIV'] = 'never';
    const noted = runCommand({
      argv: ['sh', '-c', 'sleep 30 & sleep 30'],
      env: { PATH: process.env['PATH'] ?? '' },
      notes: hands.world.permitStore.processNotes(hands.rollout),
    });
    delete process.env['SOAKGATE_SETPRIV'];
    await sleep(200);
    await hands.run('migrate', { attempt: 2 });
    expect(await noted).toMatchObject({ exitCode: null, killedBy: 'SIGKILL' });
    expect(await hands.log('migrate')).toContain('ended what an earlier attempt left: process group');
  });

  test('every undo evicts, too', async () => {
    const hands = await ready();
    await hands.run('migrate');
    const earlier = orphan(hands);
    await untilAtWork(hands);
    expect(await hands.undo('migrate')).toMatchObject({ done: true });
    await sleep(2_500);
    expect(await ups(hands)).toBe(1);
    expect(processStartTime(earlier.pid!)).toBeUndefined();
  });

  test('sessions of observe are spared', async () => {
    const hands = await ready();
    const watching = await connect(hands.url, `sgo:${hands.rollout.hash}`);
    await hands.run('migrate');
    expect(watching.lost()).toBe(false);
    await watching.end();
  });
});

describe('the hold', () => {
  const input = (hands: Hands, attempt: string, waitMs = 300) => ({
    url: hands.url,
    rollout: hands.rollout,
    tag: sessionTag(hands.rollout, 1, attempt),
    processNotes: hands.world.permitStore.processNotes(hands.rollout),
    waitMs,
  });

  test('a later attempt takes it over, and the earlier one notices before its next command', async () => {
    const hands = await permit(bench, { steps });
    const first = await takeTargetLock(input(hands, 'first'));
    await first.recheck();
    const second = await takeTargetLock(input(hands, 'second'));
    expect(second.evicted.join()).toContain(`session sg:${hands.rollout.hash}:1:first`);
    await second.recheck();
    expect(await code(first.recheck())).toBe('FENCED');
    await second.release();
  });

  test('another session of this rollout stops it right before its command', async () => {
    const hands = await permit(bench, { steps });
    const hold = await takeTargetLock(input(hands, 'mine'));
    const other = await connect(hands.url, sessionTag(hands.rollout, 1, 'other'));
    expect(await code(hold.recheck())).toBe('TARGET_BUSY');
    await other.end();
    await hold.release();
  });

  test('a lock that somebody else holds to the end is named', async () => {
    const hands = await permit(bench, { steps });
    const [key] = await hands.sql<{ key: string }>(
      `select ((x'5347'::int::bigint << 32) | oid::bigint)::text as key from pg_database
        where datname = current_database()`,
    );
    const stranger = await connect(withDatabase(hands.url, 'postgres'), 'somebody');
    await stranger.query('select pg_advisory_lock($1::bigint)', [key!.key]);
    const failure = await takeTargetLock(input(hands, 'mine')).catch(
      (error: unknown) => error as StepFailure,
    );
    expect(failure).toMatchObject({
      code: 'TARGET_BUSY',
      details: [expect.stringContaining('held by somebody (pid')],
    });
    await stranger.end();
  });
});

describe('the fence', () => {
  test('an earlier attempt whose SQL still comes through fails with SG001', async () => {
    const hands = await ready();
    const tags = ['early', 'later'].map((attempt) => sessionTag(hands.rollout, 1, attempt));
    await withSession(hands.url, 'test', async (session) => {
      for (const tag of tags) await raiseFence(session, hands.rollout, tag);
      await expect(session.query(fenceGuard(hands.rollout, tags[0]!))).rejects.toMatchObject({
        code: 'SG001',
      });
      await session.query(fenceGuard(hands.rollout, tags[1]!));
    });
    const work = {
      ...hands,
      tag: 'test',
      signal: new AbortController().signal,
      progress: () => undefined,
      runTool: (argv: readonly string[]) =>
        runCommand({
          argv: [join(bench.postgres.bin, argv[0]!), ...argv.slice(1)],
          env: pgEnvironment(hands.url, 'test'),
        }),
    };
    const options = {
      lockTimeoutMs: 50,
      giveUpAfterMs: 0,
      statementTimeoutMs: 1_000,
      guard: fenceGuard(hands.rollout, tags[0]!),
    };
    expect(await code(migrator.upgrade(work as never, hands.url, ['0002_order_guards'], options))).toBe(
      'FENCED',
    );
    expect(await ups(hands)).toBe(0);
  });

  test("a second service's rollout on the same database is refused until the first is closed", async () => {
    const first = await ready();
    const second = await permit(bench, { steps, url: first.url });
    await second.run('backup');
    expect(await failureOf(second.run('migrate'))).toMatchObject({
      code: 'ROLLOUT_OPEN',
      message: expect.stringContaining(first.rollout.deployment),
    });
    expect(await ups(first)).toBe(0);
    await first.call('closeRollout', { rollout: first.rollout, outcome: 'restored' });
    expect(await withSession(first.url, 'test', openRollout)).toBeUndefined();
    expect(await second.run('migrate')).toMatchObject({ verdict: 'pass' });
    // A closed permit is dead.
    expect(await failureOf(first.run('migrate'))).toMatchObject({ code: 'NOT_PERMITTED' });
  });
});

describe('without a proven backup', () => {
  test(
    'a database that nobody can reach keeps no rollout open that never changed it; one that did stays ' +
      'open until it can be closed',
    async () => {
      const gone = 'postgres://nobody@127.0.0.1:1/gone';
      const hands = await permit(bench, { steps, url: gone });
      await hands.call('closeRollout', { rollout: hands.rollout, outcome: 'failed' });
      expect(await hands.world.permitStore.closed(hands.rollout)).toBe('failed');
      const changed = await permit(bench, { steps, url: gone });
      await changed.world.permitStore.noteOnce(changed.rollout, 'backup-proven.json', '{}');
      expect(
        await failureOf(changed.call('closeRollout', { rollout: changed.rollout, outcome: 'failed' })),
      ).toMatchObject({
        code: 'TARGET_UNREACHABLE',
      });
      expect(await changed.world.permitStore.closed(changed.rollout)).toBeUndefined();
    },
  );

  test.each(['data: fix', 'touch', 'migrate'])('%s is refused and writes nothing', async (step) => {
    const hands = await permit(bench, { steps });
    expect(await failureOf(hands.run(step))).toMatchObject({ code: 'BACKUP_MISSING' });
    expect(await hands.sql("select from customers where name = 'touched'")).toEqual([]);
    expect(await hands.sql("select from pg_namespace where nspname = 'soakgate'")).toEqual([]);
    // And there is nothing to undo.
    expect(await hands.undo(step)).toMatchObject({ done: true, summary: 'the database was never changed' });
  });
});

test('a step that is not the one in the kept list is refused', async () => {
  const hands = await ready();
  const touch = hands.step('touch');
  const other = {
    ...touch,
    spec: { ...touch.spec, command: ['psql', '-Xqc', 'drop table payments cascade'] },
  };
  expect(await failureOf(hands.call('run', { rollout: hands.rollout, step: other }))).toMatchObject({
    code: 'NOT_PERMITTED',
  });
  expect(await failureOf(hands.call('undoRun', { rollout: hands.rollout, step: other }))).toMatchObject({
    code: 'NOT_PERMITTED',
  });
  // A listed step, run by an activity of another kind.
  expect(await failureOf(hands.call('migrate', { rollout: hands.rollout, step: touch }))).toMatchObject({
    code: 'NOT_PERMITTED',
  });
  expect(await ups(hands)).toBe(0);
});
