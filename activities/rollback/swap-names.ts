// Gives a restored database the target's name: no new connections, sessions ended, both renames in one
// transaction.
import { fail } from '../../src/core/failures.ts';
import {
  databaseName,
  quoteName,
  quoteText,
  serverError,
  type Session,
  withDatabase,
  withSession,
} from '../../src/io/postgres.ts';
import type { Work } from '../frame/step-context.ts';

const MAINTENANCE_DATABASE = 'postgres';
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
 * Owner, grants, settings, limit and comment lie outside every dump: they are carried over by hand (T-06).
 */
export async function carryOver(work: Work, from: string, to: string): Promise<readonly string[]> {
  return inMaintenance(work, async (session) => {
    const statements = await carriedStatements(session, from, to);
    for (const statement of statements) await session.query(statement);
    return statements;
  });
}

async function carriedStatements(session: Session, from: string, to: string): Promise<readonly string[]> {
  const name = quoteName(to);
  const [database] = await session.query<{
    oid: string;
    owner: string;
    connlimit: number;
    plain: boolean;
    comment: string | null;
  }>(
    `select oid::text, pg_get_userbyid(datdba) as owner, datconnlimit as connlimit, datacl is
      null as plain, shobj_description(oid, 'pg_database') as comment
     from pg_database where datname = $1`,
    [from],
  );
  if (!database) fail('TARGET_UNREACHABLE', `there is no database ${from}`);
  const grants = await session.query<{ grantee: string | null; privilege: string; grantable: boolean }>(
    `select case when a.grantee = 0 then null else pg_get_userbyid(a.grantee) end as grantee,
      a.privilege_type as privilege, a.is_grantable as grantable
     from pg_database d, aclexplode(d.datacl) a where d.datname = $1`,
    [from],
  );
  const settings = await session.query<{ role: string | null; setting: string }>(
    `select case when setrole = 0 then null else pg_get_userbyid(setrole) end as role,
      unnest(setconfig) as setting from pg_db_role_setting where setdatabase = $1::oid`,
    [database.oid],
  );
  return [
    `alter database ${name} owner to ${quoteName(database.owner)}`,
    `alter database ${name} connection limit ${database.connlimit}`,
    ...(database.plain ? [] : [`revoke all on database ${name} from public`]),
    ...grants.map(
      ({ grantee, privilege, grantable }) =>
        `grant ${privilege} on database ${name} to
          ${grantee === null ? 'public' : quoteName(grantee)}${grantable ? ' with grant option' : ''}`,
    ),
    ...settings.map(({ role, setting }) => settingStatement(name, role, setting)),
    ...(database.comment === null ? [] : [`comment on database ${name} is ${quoteText(database.comment)}`]),
  ];
}

/** A list setting (`search_path`) is stored as it was written; quoted whole it would be one name. */
function settingStatement(name: string, role: string | null, setting: string): string {
  const at = setting.indexOf('=');
  const [key, value] = [setting.slice(0, at), setting.slice(at + 1)];
  const where =
    role === null ? `alter database ${name}` : `alter role ${quoteName(role)} in database ${name}`;
  const written = LISTS.includes(key) ? value || "''" : quoteText(value);
  return `${where} set ${key.split('.').map(quoteName).join('.')} to ${written}`;
}
/** GUC_LIST_QUOTE settings of PostgreSQL: pg_dump writes these unquoted as well. */
const LISTS = [
  'search_path',
  'temp_tablespaces',
  'local_preload_libraries',
  'session_preload_libraries',
  'shared_preload_libraries',
  'unix_socket_directories',
];

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
  await inMaintenance(work, (session) => open(session, databaseName(work.url)));
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

function inMaintenance<T>(work: Work, use: (session: Session) => Promise<T>): Promise<T> {
  return withSession(withDatabase(work.url, MAINTENANCE_DATABASE), work.tag, use);
}
