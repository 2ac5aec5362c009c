// Who uses the tables now: statements that hold locks on them, sampled, and how often they are read and
// written, from the counters.
import { statementShape } from '../../src/core/statement-shape.ts';
import { withSession, type Session } from '../../src/io/postgres.ts';
import type { Work } from '../frame/step-context.ts';

/** A statement that was seen with a lock on a relation. */
export interface SeenStatement {
  readonly relation: string;
  readonly mode: string;
  /** Name of the application, or the role. */
  readonly who: string;
  /** Without its values. */
  readonly statement: string;
  /** In how many of the samples. */
  readonly seen: number;
}

export interface Traffic {
  readonly statements: readonly SeenStatement[];
  /** By `schema.table`, each second. */
  readonly rates: ReadonlyMap<string, { readonly scans: number; readonly rowsWritten: number }>;
  readonly samples: number;
}

const HIDDEN = '<insufficient privilege>';
const UNSEEN = 'a statement that this role may not see (grant pg_read_all_stats)';
const EVERY_MS = 20;
/** A session tells its counters at most once a second. */
const LEAST_MS = 1_200;

type Counters = ReadonlyMap<string, { readonly scans: number; readonly rows: number }>;

/**
 * Watches the target while `during` runs, and for a little more than a second at least. Sessions of ours are
 * not traffic.
 */
export async function watchTraffic<T>(
  work: Work,
  during: () => Promise<T>,
): Promise<{ readonly result: T; readonly traffic: Traffic }> {
  return withSession(work.url, work.tag, async (session) => {
    const seen = new Map<string, SeenStatement>();
    const started = performance.now();
    const before = await counters(session);
    let over = false;
    let samples = 0;
    const watching = (async () => {
      while (!over || performance.now() - started < LEAST_MS) {
        for (const found of await sample(session)) {
          const key = JSON.stringify([found.relation, found.mode, found.who, found.statement]);
          seen.set(key, { ...found, seen: (seen.get(key)?.seen ?? 0) + 1 });
        }
        samples += 1;
        await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
      }
      // A session that was lost fails at the counters below, when what it ran beside has ended.
    })().catch(() => undefined);
    const result = await during().finally(() => {
      over = true;
    });
    await watching;
    const after = await counters(session);
    const seconds = (performance.now() - started) / 1_000;
    return {
      result,
      traffic: { statements: [...seen.values()], rates: rates(before, after, seconds), samples },
    };
  });
}

async function sample(session: Session): Promise<readonly Omit<SeenStatement, 'seen'>[]> {
  const rows = await session.query<{ relation: string; mode: string; who: string; query: string }>(
    `select distinct n.nspname || '.' || c.relname as relation, l.mode,
      coalesce(nullif(a.application_name, ''), a.usename) as who, a.query
     from pg_locks l join pg_stat_activity a using (pid) join pg_class c on c.oid = l.relation
     join pg_namespace n on n.oid = c.relnamespace
     where l.database = (select oid from pg_database where datname = current_database())
     and c.relkind in ('r', 'p', 'm')
       and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'soakgate')
       and coalesce(a.application_name, '') !~ '^sgo?:'`,
  );
  return rows.map(({ query, ...row }) => ({
    ...row,
    statement: query === HIDDEN ? UNSEEN : statementShape(query),
  }));
}

async function counters(session: Session): Promise<Counters> {
  const rows = await session.query<{ relation: string; scans: string; rows: string }>(
    `select schemaname || '.' || relname as relation, (coalesce(seq_scan, 0) +
      coalesce(idx_scan, 0))::text as scans, (n_tup_ins + n_tup_upd + n_tup_del)::text as rows
     from pg_stat_user_tables`,
  );
  return new Map(
    rows.map(({ relation, scans, rows: written }) => [
      relation,
      { scans: Number(scans), rows: Number(written) },
    ]),
  );
}

/** A counter that has become less was set back: then nothing is known but that it was used. */
function rates(before: Counters, after: Counters, seconds: number): Traffic['rates'] {
  const rate = (was = 0, is: number) => Math.max(0, is - was) / seconds;
  return new Map(
    [...after].map(([relation, is]) => {
      const was = before.get(relation);
      return [relation, { scans: rate(was?.scans, is.scans), rowsWritten: rate(was?.rows, is.rows) }];
    }),
  );
}
