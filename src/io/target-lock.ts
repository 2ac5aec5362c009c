// Rule 4: before an attempt writes, every earlier attempt of this rollout is ended, and it is asked once
// more.
import { fail } from '../core/failures.ts';
import { type RolloutRef, sessionPattern } from '../core/ids.ts';
import { endNotedProcesses } from './command.ts';
import { connect, databaseName, type Session, withDatabase } from './postgres.ts';

export interface TargetLock {
  /** Asked directly before a command: nobody else of this rollout is at work and the lock is ours. */
  recheck(): Promise<void>;
  release(): Promise<void>;
  /** What had to be ended on the way in, for the log. */
  readonly evicted: readonly string[];
}

export interface TargetLockInput {
  readonly url: string;
  readonly rollout: RolloutRef;
  /** This attempt's own session name. */
  readonly tag: string;
  readonly processNotes: string;
  readonly waitMs?: number;
}

const LOCK_CLASS = 0x5347;
const WAIT_MS = 30_000;
const MAINTENANCE_DATABASE = 'postgres';

/**
 * `evict`: ends the commands and sessions of earlier attempts, waits until none is left, takes the target's
 * lock.
 * The lock lies in the maintenance database under the target's oid, so that names can be swapped beneath it.
 * @throws StepFailure TARGET_BUSY when somebody else holds the lock to the end of the wait.
 */
export async function takeTargetLock(input: TargetLockInput): Promise<TargetLock> {
  const processes = await endNotedProcesses(input.processNotes);
  const session = await connect(withDatabase(input.url, MAINTENANCE_DATABASE), input.tag);
  const evicted = processes.map((pid) => `process group ${pid}`);
  try {
    const deadline = performance.now() + (input.waitMs ?? WAIT_MS);
    const key = await lockKey(session, databaseName(input.url));
    for (;;) {
      evicted.push(...(await endSessions(session, input)));
      if ((await othersAtWork(session, input)) === 0 && (await tryLock(session, key))) break;
      if (performance.now() > deadline)
        fail(
          'TARGET_BUSY',
          `another attempt still holds ${databaseName(input.url)}`,
          await holders(session, key),
        );
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } catch (error) {
    await session.end().catch(() => undefined);
    throw error;
  }
  return {
    evicted,
    recheck: () => recheck(session, input),
    release: () => session.end().catch(() => undefined),
  };
}

async function lockKey(session: Session, database: string): Promise<string> {
  const rows = await session.query<{ key: string }>(
    'select ((($2::bigint) << 32) | oid::bigint)::text as key from pg_database where datname = $1',
    [database, LOCK_CLASS],
  );
  return rows[0]?.key ?? fail('TARGET_UNREACHABLE', `there is no database ${database}`);
}

async function tryLock(session: Session, key: string): Promise<boolean> {
  return (
    (await session.query<{ ok: boolean }>('select pg_try_advisory_lock($1::bigint) as ok', [key]))[0]?.ok ===
    true
  );
}

async function endSessions(session: Session, { rollout, tag }: TargetLockInput): Promise<string[]> {
  const rows = await session.query<{ name: string; pid: number }>(
    `select application_name as name, pid from pg_stat_activity, lateral pg_terminate_backend(pid)
     where application_name like $1 and application_name <> $2 and pid <> pg_backend_pid()`,
    [sessionPattern(rollout), tag],
  );
  return rows.map((row) => `session ${row.name} (${row.pid})`);
}

async function othersAtWork(session: Session, { rollout, tag }: TargetLockInput): Promise<number> {
  const rows = await session.query<{ n: string }>(
    `select count(*) as n from pg_stat_activity where application_name like $1
      and application_name <> $2 and pid <> pg_backend_pid()`,
    [sessionPattern(rollout), tag],
  );
  return Number(rows[0]?.n ?? 0);
}

async function holders(session: Session, key: string): Promise<string[]> {
  const rows = await session.query<{ name: string; pid: number }>(
    `select a.application_name as name, a.pid from pg_locks l join pg_stat_activity a using (pid)
     where l.locktype = 'advisory' and ((l.classid::bigint << 32) | l.objid::bigint) = $1::bigint and l.granted`,
    [key],
  );
  return rows.map((row) => `held by ${row.name || 'a session without a name'} (pid ${row.pid})`);
}

async function recheck(session: Session, input: TargetLockInput): Promise<void> {
  if (session.lost()) fail('FENCED', 'the session that held the lock has been ended by a later attempt');
  const others = await othersAtWork(session, input).catch(() =>
    fail('FENCED', 'the session that held the lock has been ended by a later attempt'),
  );
  if (others > 0) fail('TARGET_BUSY', `${others} other session(s) of this rollout are at work`);
}
