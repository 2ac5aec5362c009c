// How many sessions a rollout has at once, against what the role, the database and the server still give.
import { backupSpecOf } from '../../src/core/backup-spec.ts';
import { sessionPattern } from '../../src/core/ids.ts';
import { readsDatabase } from '../../src/core/plan/monitors/facts.ts';
import type { StepList } from '../../src/core/step-list.ts';
import type { Session } from '../../src/io/postgres.ts';
import type { Work } from '../frame/step-context.ts';
import { holds, type Look, missing } from './preflight-rights.ts';

/**
 * The snapshot of a backup, and pg_dump of the schema; the dump itself comes on top. No other step has more
 * than these three: the lock (or a look at the traffic), a session that watches or reads, and the program
 * that does the work.
 */
const BESIDE_DUMP = 2;
/** The lock lies in the database postgres, and names are swapped from there. */
const IN_MAINTENANCE = 2;
/** A program that has ended may still be on the server's list when the next one connects. */
const ENDING = 1;

type Planned = Pick<StepList, 'steps' | 'monitors'>;

/** The most sessions that a rollout of this list has open at once under the login of the target. */
export function sessionsNeeded(list: Planned): number {
  const { jobs = 1 } = backupSpecOf(list);
  // Each job has a session of its own, and pg_dump one that leads them.
  const dumping = BESIDE_DUMP + (jobs > 1 ? jobs + 1 : 1);
  const watching = Object.values(list.monitors).filter(({ read }) => readsDatabase(read)).length;
  return Math.max(dumping, watching) + ENDING;
}

/** The same of a second login that restores: pg_restore, by two jobs where the dump is a folder. */
export const sessionsToRestore = (list: Pick<StepList, 'steps'>): number =>
  (backupSpecOf(list).format === 'directory' ? 2 : 1) + ENDING;

/** Too few sessions are found now: later they would end a step in its middle. */
export async function roomForSessions(
  work: Work,
  { session, restorer }: { readonly session: Session; readonly restorer: Session },
): Promise<readonly Look[]> {
  const [own, copier] = [await loginOf(session), await loginOf(restorer)];
  const looks = await looksOf(work, session, ['role', 'database', 'server'], sessionsNeeded(work.list));
  if (own === copier) return looks;
  return [...looks, ...(await looksOf(work, restorer, ['role'], sessionsToRestore(work.list)))];
}

async function loginOf(session: Session): Promise<string> {
  const [row] = await session.query<{ login: string }>('select session_user as login');
  return row!.login;
}

interface Limit {
  readonly login: string;
  readonly of: 'role' | 'database' | 'server';
  /** As SQL writes it. */
  readonly name: string;
  readonly most: number;
  /** Of which only superusers may use these. */
  readonly reserved: number;
  readonly used: number;
  /** Fewer than a rollout has altogether, where only some of them go there. */
  readonly atMost: number | null;
}

async function looksOf(
  { rollout, list }: Work,
  session: Session,
  of: readonly Limit['of'][],
  needed: number,
): Promise<readonly Look[]> {
  const limits = await session.query<Limit>(LIMITS, [sessionPattern(rollout), IN_MAINTENANCE]);
  const short = limits
    .filter((limit) => of.includes(limit.of))
    .map((limit) => ({ ...limit, needed: Math.min(needed, limit.atMost ?? needed) }))
    .filter((limit) => limit.most - limit.reserved - limit.used < limit.needed);
  if (short.length === 0)
    return [holds(`role ${limits[0]?.login} may open the ${needed} sessions that a rollout has at once`)];
  const { jobs = 1 } = backupSpecOf(list);
  const fewer = jobs > 1 ? ', or back up with fewer jobs' : '';
  return short.map((limit) => missing(`${tooFew(limit)}${fewer}`));
}

function tooFew({ of, name, most, reserved, used, needed, login }: Limit & { needed: number }): string {
  const need = `a rollout of this plan has up to ${needed} at once as role ${login}`;
  if (of === 'server')
    return (
      `the server takes ${most} sessions (max_connections), of which ${reserved} are reserved and ${used} ` +
      `are in use now; ${need}: end sessions that nobody needs, or raise max_connections`
    );
  return (
    `${of} ${name} may have ${most} sessions (connection limit), of which ${used} are in use now; ${need}: ` +
    `alter ${of} ${name} connection limit ${used + needed}`
  );
}

/**
 * Limits of roles and databases do not hold for superusers, and the reserved sessions are theirs. A session
 * that the role may not look into has no type, but a database; those of this rollout are over when the next
 * step begins.
 */
const LIMITS = `with me as (select oid, rolname, rolsuper, rolconnlimit from pg_roles
    where rolname = session_user),
  used as (select datname, usesysid, sends from pg_stat_activity a,
      lateral (select exists (select from pg_stat_replication r where r.pid = a.pid) as sends) s
    where usesysid is not null and coalesce(application_name, '') not like $1
      and (sends or datid is not null and coalesce(backend_type, 'client backend') = 'client backend'))
  select quote_ident(me.rolname) as login, l.* from me, lateral (
    select 'role' as of, quote_ident(me.rolname) as name, me.rolconnlimit as most, 0 as reserved,
        (select count(*)::int from used where usesysid = me.oid) as used, null::int as "atMost"
      where me.rolconnlimit >= 0 and not me.rolsuper
    union all select 'database', quote_ident(d.datname), d.datconnlimit, 0,
        (select count(*)::int from used where used.datname = d.datname),
        case when d.datname <> current_database() then $2::int end
      from pg_database d where d.datname in (current_database(), 'postgres') and d.datconnlimit >= 0
        and not me.rolsuper
    union all select 'server', '', current_setting('max_connections')::int,
        case when me.rolsuper then 0 else current_setting('superuser_reserved_connections')::int
          + case when exists (select from pg_roles r where r.rolname = 'pg_use_reserved_connections'
              and pg_has_role(me.oid, r.oid, 'usage'))
            then 0 else coalesce(current_setting('reserved_connections', true)::int, 0) end end,
        (select count(*)::int from used where not sends), null) l`;
