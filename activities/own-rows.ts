// Which rows a command wrote itself, told exactly while the application writes beside it: a trigger notes the keys that sessions of
// this attempt's name write. It stands only as long as the command runs; the table of notes lies in our own schema.
import { quoteName, quoteTable, quoteText, serverError, type Session, withSession } from '../src/io/postgres.ts';
import { primaryKey } from './primary-key.ts';
import type { Work } from './work.ts';

const TRIGGER = 'soakgate_own_rows';
const LOCK_NOT_AVAILABLE = '55P03';
const TRIES = 100;
const PAUSE_MS = 100;
const notesOf = (work: Work): string => `soakgate.own_rows_${work.step.index}`;
const functionOf = (work: Work, at: number): string => `soakgate.note_own_${work.step.index}_${at}`;

/**
 * Runs it under watch over these tables (each has a primary key). The keys are `table key`; null where a table's short lock was not
 * given, and then nobody can tell.
 */
export async function watchRows<T>(
  work: Work,
  tables: readonly string[],
  act: () => Promise<T>,
): Promise<{ readonly result: T; readonly own: ReadonlySet<string> | null }> {
  return withSession(work.url, work.tag, async (session) => {
    await stopWatching(session, work);
    try {
      const watched = await startWatching(session, work, tables);
      const result = await act();
      return { result, own: watched ? await ownRows(session, work) : null };
    } finally {
      await stopWatching(session, work);
    }
  });
}

async function ownRows(session: Session, work: Work): Promise<ReadonlySet<string>> {
  const rows = await session.query<{ place: string; key: string }>(`select distinct place, key from ${notesOf(work)}`);
  return new Set(rows.map(({ place, key }) => `${place} ${key}`));
}

async function startWatching(session: Session, work: Work, tables: readonly string[]): Promise<boolean> {
  await session.query(
    `create table ${notesOf(work)} (place text not null, key text not null); grant insert on ${notesOf(work)} to public; grant usage on schema soakgate to public`,
  );
  for (const [at, table] of tables.entries()) {
    const key = await primaryKey(session, table);
    await session.query(
      `create function ${functionOf(work, at)}() returns trigger language plpgsql as $soakgate$ declare t ${quoteTable(table)}; begin
         if tg_op = 'DELETE' then t := old; else t := new; end if;
         insert into ${notesOf(work)} values (${quoteText(table)}, ${key}); return null; end $soakgate$`,
    );
    const made = await withShortLock(session, () =>
      session.query(
        `create trigger ${TRIGGER} after insert or update or delete on ${quoteTable(table)} for each row
         when (current_setting('application_name') = ${quoteText(work.tag)}) execute function ${functionOf(work, at)}()`,
      ),
    );
    if (!made) return false;
  }
  return true;
}

/** Taken away whatever happened; where an attempt was killed, by the next one, or by the undo. */
export async function stopWatching(session: Session, work: Work): Promise<void> {
  const watched = await session.query<{ table: string }>('select tgrelid::regclass::text as table from pg_trigger where tgname = $1', [TRIGGER]);
  for (const { table } of watched) await withShortLock(session, () => session.query(`drop trigger if exists ${quoteName(TRIGGER)} on ${table}`));
  const functions = await session.query<{ name: string }>(
    "select oid::regprocedure::text as name from pg_proc where pronamespace = to_regnamespace('soakgate') and proname like $1",
    [`note\\_own\\_${work.step.index}\\_%`],
  );
  for (const { name } of functions) await session.query(`drop function if exists ${name} cascade`);
  await session.query(`drop table if exists ${notesOf(work)}`);
}

/** The application never waits behind us longer than one short try. */
async function withShortLock(session: Session, act: () => Promise<unknown>): Promise<boolean> {
  await session.query("set lock_timeout = '50ms'");
  try {
    for (let tries = 1; tries <= TRIES; tries += 1) {
      try {
        await act();
        return true;
      } catch (error) {
        if (serverError(error)?.code !== LOCK_NOT_AVAILABLE) throw error;
        await new Promise((wake) => setTimeout(wake, PAUSE_MS));
      }
    }
    return false;
  } finally {
    await session.query('set lock_timeout = 0');
  }
}
