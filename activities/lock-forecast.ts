// The lock forecast: what the rehearsal locked, held against who holds what on the target now.
import { withSession } from '../src/io/postgres.ts';
import type { HeldLock } from './migrators/migrator.ts';
import type { Work } from './work.ts';

const STRONG = ['AccessExclusiveLock', 'ExclusiveLock', 'ShareRowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareLock'];
const BLOCKS_READERS = 'AccessExclusiveLock';

export interface Forecast {
  /** One line for each lock that matters. */
  readonly lines: readonly string[];
  /** Who would be waited for now, by name, and what stands behind it. */
  readonly waits: readonly string[];
}

/** Names relation, mode, wait and the views that read the relation. */
export async function forecastLocks(work: Work, held: readonly HeldLock[]): Promise<Forecast> {
  const strong = held.filter((lock) => STRONG.includes(lock.mode));
  return withSession(work.url, work.tag, async (session) => {
    const lines: string[] = [];
    const waits: string[] = [];
    for (const { relation, mode } of strong) {
      const views = await session.query<{ name: string }>(
        `select distinct v.oid::regclass::text as name from pg_depend d join pg_rewrite r on r.oid = d.objid join pg_class v on v.oid = r.ev_class
         where d.refobjid = to_regclass($1) and d.classid = 'pg_rewrite'::regclass and v.oid <> d.refobjid`,
        [relation],
      );
      const readers = views.length > 0 ? `; read by ${views.map((view) => view.name).join(', ')}` : '';
      lines.push(`locks ${relation} in ${mode}${mode === BLOCKS_READERS ? ' (readers wait, too)' : ''}${readers}`);
      const holders = await session.query<{ who: string; mode: string; since: string }>(
        `select format('%s (pid %s, %s)', coalesce(nullif(a.application_name, ''), a.usename), a.pid, a.state) as who, l.mode, round(extract(epoch from now() - a.xact_start))::text as since
         from pg_locks l join pg_stat_activity a using (pid) where l.relation = to_regclass($1) and l.granted and l.pid <> pg_backend_pid() and l.database = (select oid from pg_database where datname = current_database())`,
        [relation],
      );
      waits.push(
        ...holders
          .filter((holder) => conflicts(mode, holder.mode))
          .map((holder) => `would wait for ${relation} in ${mode}: ${holder.who} holds ${holder.mode} for ${holder.since} s${readers}`),
      );
    }
    return { lines, waits };
  });
}

/** PostgreSQL's table of conflicting lock modes (manual, 13.3.1), from weakest to strongest. */
const conflictTable: Readonly<Record<string, readonly string[]>> = {
  AccessShareLock: ['AccessExclusiveLock'],
  RowShareLock: ['ExclusiveLock', 'AccessExclusiveLock'],
  RowExclusiveLock: ['ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'],
  ShareUpdateExclusiveLock: ['ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'],
  ShareLock: ['RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'],
  ShareRowExclusiveLock: [
    'RowExclusiveLock',
    'ShareUpdateExclusiveLock',
    'ShareLock',
    'ShareRowExclusiveLock',
    'ExclusiveLock',
    'AccessExclusiveLock',
  ],
  ExclusiveLock: [
    'RowShareLock',
    'RowExclusiveLock',
    'ShareUpdateExclusiveLock',
    'ShareLock',
    'ShareRowExclusiveLock',
    'ExclusiveLock',
    'AccessExclusiveLock',
  ],
};

/** Whether a wish for one mode waits for a holder of the other. */
export function conflicts(wanted: string, heldMode: string): boolean {
  return wanted === 'AccessExclusiveLock' || (conflictTable[wanted] ?? []).includes(heldMode);
}
