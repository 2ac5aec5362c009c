// Gives a restored database the target's name: no new connections, sessions ended, both renames in one
// transaction.
import { fail } from '../../src/core/failures.ts';
import { databaseName, quoteName, serverError, type Session } from '../../src/io/postgres.ts';
import { asRestorer } from '../backup/restore-login.ts';
import { inMaintenance } from '../database/maintenance-session.ts';
import type { Work } from '../frame/step-context.ts';

const TRIES = 20;
const PAUSE_MS = 100;
const IN_USE = '55006';

export interface Swapped {
  /** Milliseconds in which nobody could connect. */
  readonly closedMs: number;
  readonly ended: number;
}

/** Whether a database of this name is there. */
export async function databaseExists(work: Work, name: string): Promise<boolean> {
  return inMaintenance(
    work,
    async (session) => (await session.query('select from pg_database where datname = $1', [name])).length > 0,
  );
}

/**
 * `old` gets the name `aside`, `fresh` the name `old` had; nobody is connected in between.
 * @throws StepFailure TARGET_BUSY when sessions cannot be ended; the target is then open again under its own
 * name.
 */
export async function swapNames(work: Work, fresh: string, aside: string): Promise<Swapped> {
  const target = databaseName(work.url);
  return inMaintenance(work, async (session) => {
    const started = performance.now();
    let ended = 0;
    await session.query(`alter database ${quoteName(target)} with allow_connections false`);
    try {
      for (let tries = 1; ; tries += 1) {
        ended += await endAll(session, [target, fresh]);
        const failure = await rename(session, target, aside, fresh);
        if (failure === null) break;
        if (failure.code !== IN_USE || tries === TRIES)
          fail(
            'TARGET_BUSY',
            `the names cannot be swapped: ${failure.message}`,
            await whoIsIn(session, target),
          );
        await new Promise((wake) => setTimeout(wake, PAUSE_MS));
      }
      return { closedMs: Math.round(performance.now() - started), ended };
    } finally {
      // Whichever database has the name now must be reachable, and the one set aside readable for whoever
      // needs its rows.
      for (const name of [target, aside]) await open(session, name);
    }
  });
}

/** Lets people in again where an attempt was ended between shutting the door and swapping the names. */
export async function reopenTarget(work: Work): Promise<void> {
  await inMaintenance(await asRestorer(work), (session) => open(session, databaseName(work.url)));
}

async function open(session: Session, name: string): Promise<void> {
  if (
    (await session.query('select from pg_database where datname = $1 and not datallowconn', [name])).length >
    0
  )
    await session.query(`alter database ${quoteName(name)} with allow_connections true`);
}

async function rename(
  session: Session,
  target: string,
  aside: string,
  fresh: string,
): Promise<{ code: string; message: string } | null> {
  try {
    await session.query('begin');
    await session.query(`alter database ${quoteName(target)} rename to ${quoteName(aside)}`);
    await session.query(`alter database ${quoteName(fresh)} rename to ${quoteName(target)}`);
    await session.query('commit');
    return null;
  } catch (error) {
    await session.query('rollback').catch(() => undefined);
    const known = serverError(error);
    if (!known) throw error;
    return known;
  }
}

async function endAll(session: Session, databases: readonly string[]): Promise<number> {
  const rows = await session
    .query<{ ok: boolean }>(
      `select pg_terminate_backend(pid) as ok from pg_stat_activity where datname = any($1)
        and pid <> pg_backend_pid()`,
      [databases],
    )
    .catch((error: unknown) =>
      fail('TARGET_BUSY', `the role may not end the sessions of others: ${(error as Error).message}`),
    );
  return rows.length;
}

async function whoIsIn(session: Session, database: string): Promise<string[]> {
  const rows = await session.query<{ who: string }>(
    `select format('%s (pid %s, %s)', coalesce(nullif(application_name, ''), usename), pid,
      state) as who from pg_stat_activity where datname = $1`,
    [database],
  );
  return rows.map(({ who }) => who);
}
