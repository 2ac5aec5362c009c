// Which transactions were a command's own: asked of the server while it runs, because rows say by which transaction they were written.
import { withSession } from '../src/io/postgres.ts';
import type { Work } from './work.ts';

const EVERY_MS = 4;

/**
 * Runs it, and collects the ids of all transactions that sessions of this attempt's name have held meanwhile.
 * A transaction shorter than a few milliseconds may not be seen.
 */
export async function watchTransactions<T>(work: Work, act: () => Promise<T>): Promise<{ readonly result: T; readonly seen: ReadonlySet<string> }> {
  const seen = new Set<string>();
  return withSession(work.url, `${work.tag}:watch`.slice(0, 63), async (session) => {
    let over = false;
    const watching = (async () => {
      while (!over) {
        const rows = await session
          .query<{ xid: string }>('select backend_xid::text as xid from pg_stat_activity where application_name = $1 and backend_xid is not null', [
            work.tag,
          ])
          .catch(() => []);
        for (const { xid } of rows) seen.add(xid);
        await new Promise((wake) => setTimeout(wake, EVERY_MS));
      }
    })();
    try {
      return { result: await act(), seen };
    } finally {
      over = true;
      await watching;
    }
  });
}
