// What lies outside every dump (owner, grants, settings, limit, comment, whether it is a template), carried over.
import { fail } from '../../src/core/failures.ts';
import { quoteName, quoteText, serverError, type Session } from '../../src/io/postgres.ts';
import { inMaintenance } from '../database/maintenance-session.ts';
import type { Work } from '../frame/step-context.ts';

/** What no dump of the database `from` holds is given to `to` (T-06); returns the statements that ran. */
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
    template: boolean;
    comment: string | null;
  }>(
    `select oid::text, pg_get_userbyid(datdba) as owner, datconnlimit as connlimit, datistemplate as template,
      shobj_description(oid, 'pg_database') as comment
     from pg_database where datname = $1`,
    [from],
  );
  if (!database) fail('TARGET_UNREACHABLE', `there is no database ${from}`);
  const settings = await settingStatements(session, database.oid, name);
  return [
    `alter database ${name} owner to ${quoteName(database.owner)}`,
    `alter database ${name} connection limit ${database.connlimit}`,
    ...(database.template ? [`alter database ${name} with is_template true`] : []),
    ...(await grantStatements(session, from, name)),
    ...settings,
    ...(database.comment === null ? [] : [`comment on database ${name} is ${quoteText(database.comment)}`]),
  ];
}

/** The grants on the database, as statements that give the one of this name the same. */
async function grantStatements(session: Session, from: string, name: string): Promise<readonly string[]> {
  const grants = await session.query<{ grantee: string | null; privilege: string; grantable: boolean }>(
    `select case when a.grantee = 0 then null else pg_get_userbyid(a.grantee) end as grantee,
      a.privilege_type as privilege, a.is_grantable as grantable
     from pg_database d, aclexplode(d.datacl) a where d.datname = $1`,
    [from],
  );
  const [plain] = await session.query('select from pg_database where datname = $1 and datacl is null', [
    from,
  ]);
  return [
    ...(plain ? [] : [`revoke all on database ${name} from public`]),
    ...grants.map(
      ({ grantee, privilege, grantable }) =>
        `grant ${privilege} on database ${name} to
          ${grantee === null ? 'public' : quoteName(grantee)}${grantable ? ' with grant option' : ''}`,
    ),
  ];
}

/** For a copy that another login has made: whoever migrates it may do there what it may do in the target. */
export async function carryGrants(work: Work, from: string, to: string): Promise<void> {
  await inMaintenance(work, async (session) => {
    for (const statement of await grantStatements(session, from, quoteName(to)))
      await session.query(statement);
  });
}

/**
 * Only what is set for the database, or for a role in it, so that a copy is read as the target is. What this
 * role may not set is left out: it concerns others, and nobody else is ever connected to a scratch copy.
 */
export async function carrySettings(work: Work, from: string, to: string): Promise<void> {
  await inMaintenance(work, async (session) => {
    const [database] = await session.query<{ oid: string }>(
      'select oid::text from pg_database where datname = $1',
      [from],
    );
    for (const statement of await settingStatements(session, database?.oid ?? '0', quoteName(to)))
      await session.query(statement).catch((error: unknown) => {
        if (!serverError(error)) throw error;
      });
  });
}

/** The settings of the database with this oid, as statements that set them for the one of this name. */
async function settingStatements(session: Session, oid: string, name: string): Promise<readonly string[]> {
  const settings = await session.query<{ role: string | null; setting: string }>(
    `select case when setrole = 0 then null else pg_get_userbyid(setrole) end as role,
      unnest(setconfig) as setting from pg_db_role_setting where setdatabase = $1::oid`,
    [oid],
  );
  return settings.map(({ role, setting }) => settingStatement(name, role, setting));
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
