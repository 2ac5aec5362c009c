// What a command of the release writes runs in transactions that nobody notes: the span of transaction ids in which
// it ran is noted instead, with the tables that were written meanwhile, by it or by others.
import { type Session, withSession } from '../../src/io/postgres.ts';
import type { Work } from './step-context.ts';

type Counters = Readonly<Record<string, readonly number[]>>;

/** Acts, and notes its span also where it fails. The fence must be up. */
export async function inOwnWindow<T>(work: Work, act: () => Promise<T>): Promise<T> {
  const before = await withSession(work.url, work.tag, async (session) => ({
    xid: await nextTransaction(session),
    counters: await readCounters(session),
  }));
  try {
    return await act();
  } finally {
    await withSession(work.url, work.tag, async (session) => {
      const wrote = written(before.counters, await readCounters(session));
      await session.query(
        `insert into soakgate.transactions (rollout, xid, ended, wrote, alone)
          values ($1, $2::xid8, $3::xid8, $4, false) on conflict do nothing`,
        [work.rollout.hash, before.xid, await nextTransaction(session), JSON.stringify(wrote)],
      );
    });
  }
}

async function nextTransaction(session: Session): Promise<string> {
  const [row] = await session.query<{ xid: string }>(
    'select pg_snapshot_xmax(pg_current_snapshot())::text as xid',
  );
  return row!.xid;
}

/** Table → rows added, changed and removed since its statistics began. */
async function readCounters(session: Session): Promise<Counters> {
  const rows = await session.query<{ id: string; n: string[] }>(
    `select schemaname || '.' || relname as id, array[n_tup_ins, n_tup_upd, n_tup_del]::text[] as n
      from pg_stat_user_tables where schemaname <> 'soakgate'`,
  );
  return Object.fromEntries(rows.map(({ id, n }) => [id, n.map(Number)]));
}

/** Tables whose counters are others; statistics that began anew meanwhile count as written. */
function written(before: Counters, after: Counters): Counters {
  return Object.fromEntries(
    Object.entries(after).flatMap(([table, n]) => {
      const more = n.map((value, at) => Math.abs(value - (before[table]?.[at] ?? 0)));
      return more.some((value) => value > 0) ? [[table, more]] : [];
    }),
  );
}
