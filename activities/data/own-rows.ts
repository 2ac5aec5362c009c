// Which rows a command wrote itself, told exactly while the application writes beside it: triggers note the
// keys that sessions of this
// step write, of whichever attempt. They stand until the images are on disk; the notes lie in our own schema.
import { fail } from '../../src/core/failures.ts';
import { quoteText, serverError, type Session } from '../../src/io/postgres.ts';
import { isThere } from './image-table.ts';
import { keyText, rowImage, shapeOf } from './table-shape.ts';
import type { Work } from '../frame/step-context.ts';

const TRIGGER = 'soakgate_own_rows';
const LOCK_NOT_AVAILABLE = '55P03';
const TRIES = 100;
const PAUSE_MS = 100;
const NOTES = '(place text not null, key text not null, row jsonb, at bigint generated always as identity)';
const notesOf = (work: Work): string => `soakgate.own_rows_${work.step.index}`;
const functionOf = (work: Work, at: number): string => `soakgate.note_own_${work.step.index}_${at}`;

/**
 * Watches all of these tables (each has a primary key) or none; what an earlier attempt has begun goes on.
 * Where a short lock was not
 * given, that stands noted as well: what the command then writes can never be told apart.
 */
export async function watchRows(session: Session, work: Work, tables: readonly string[]): Promise<void> {
  if (await isThere(session, notesOf(work))) return;
  const watched = await withShortLocks(session, () => createTriggers(session, work, tables));
  if (!watched) await session.query(`create table ${notesOf(work)} ${NOTES}`);
}

/**
 * The table of ours that notes `place`, `key` and `row` of each row that the command wrote, as it left it (null
 * where it took it away), latest last. Null where nobody can tell.
 */
export async function noteOwnRows(
  session: Session,
  work: Work,
  tables: readonly string[],
): Promise<string | null> {
  // Where it has never begun, the command has not run either.
  if (!(await isThere(session, notesOf(work)))) await session.query(`create table ${notesOf(work)} ${NOTES}`);
  else if ((await watchedTables(session)).length < tables.length) return null;
  return notesOf(work);
}

/** @throws StepFailure LOCK_NOT_GIVEN naming the tables on which a trigger is left. */
export async function stopWatching(session: Session, work: Work): Promise<void> {
  const tables = await watchedTables(session);
  const gone = await withShortLocks(session, async () => {
    for (const table of tables) await session.query(`drop trigger ${TRIGGER} on ${table}`);
  });
  if (!gone) fail('LOCK_NOT_GIVEN', `the trigger ${TRIGGER} could not be taken away`, tables);
  const functions = await session.query<{ name: string }>(
    `select oid::regprocedure::text as name from pg_proc
      where pronamespace = to_regnamespace('soakgate') and proname like $1`,
    [`note\\_own\\_${work.step.index}\\_%`],
  );
  for (const { name } of functions) await session.query(`drop function ${name}`);
  await session.query(`drop table if exists ${notesOf(work)}`);
}

/**
 * The command's own role may not be allowed to write into our schema: the notes are written as the one who
 * made the function.
 */
async function createTriggers(session: Session, work: Work, tables: readonly string[]): Promise<void> {
  const sessions = work.tag.slice(0, work.tag.lastIndexOf(':') + 1);
  await session.query(`create table ${notesOf(work)} ${NOTES}`);
  for (const [at, table] of tables.entries()) {
    const shape = await shapeOf(session, table);
    await session.query(
      `create function ${functionOf(work, at)}() returns trigger language plpgsql security
        definer set search_path = pg_catalog set datestyle = 'ISO, YMD' set intervalstyle = 'iso_8601'
        set extra_float_digits = 1 set bytea_output = 'hex' set timezone = 'UTC' set lc_monetary = 'C' as $soakgate$
       declare t ${shape.quoted};
       begin
         if tg_op = 'DELETE' then t := old; else t := new; end if;
         insert into ${notesOf(work)} (place, key, row) values (${quoteText(table)}, ${keyText(shape)}, case
         when tg_op <> 'DELETE' then ${rowImage(shape)} end);
         return null;
       end $soakgate$`,
    );
    await session.query(
      `create trigger ${TRIGGER} after insert or update or delete
        on ${shape.quoted} for each row
       when (starts_with(current_setting('application_name'), ${quoteText(sessions)})) execute function
       ${functionOf(work, at)}()`,
    );
  }
}

async function watchedTables(session: Session): Promise<readonly string[]> {
  const rows = await session.query<{ table: string }>(
    // What a partitioned table hands down to its partitions comes and goes with its own.
    'select tgrelid::regclass::text as table from pg_trigger where tgname = $1 and tgparentid = 0',
    [TRIGGER],
  );
  return rows.map(({ table }) => table);
}

/** All in one transaction or nothing; the application never waits behind us longer than one short try. */
async function withShortLocks(session: Session, act: () => Promise<void>): Promise<boolean> {
  for (let tries = 1; tries <= TRIES; tries += 1) {
    await session.query("begin; set local lock_timeout = '50ms'");
    try {
      await act();
      await session.query('commit');
      return true;
    } catch (error) {
      await session.query('rollback');
      if (serverError(error)?.code !== LOCK_NOT_AVAILABLE) throw error;
      await new Promise((wake) => setTimeout(wake, PAUSE_MS));
    }
  }
  return false;
}
