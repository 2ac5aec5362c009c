// What a command did on the server, asked of the server while it runs: its transactions (rows say by which they were written) and databases.
import { withSession } from '../src/io/postgres.ts';
import type { Work } from './work.ts';

const EVERY_MS = 4;

/**
 * Runs it, and collects the ids of all transactions that sessions of this attempt's name have held meanwhile.
 * A transaction shorter than a few milliseconds may not be seen.
 */
export async function watchTransactions<T>(work: Work, act: () => Promise<T>): Promise<{ readonly result: T; readonly seen: ReadonlySet<string> }> {
  return watch(work, 'select backend_xid::text as found from pg_stat_activity where application_name = $1 and backend_xid is not null', act);
}

/** Runs it, and collects the databases of this server in which sessions of this attempt's name were seen. */
export async function watchDatabases<T>(work: Work, act: () => Promise<T>): Promise<{ readonly result: T; readonly databases: readonly string[] }> {
  const { result, seen } = await watch(
    work,
    "select distinct datname as found from pg_stat_activity where application_name = $1 and datname <> 'postgres'",
    act,
  );
  return { result, databases: [...seen].sort() };
}

async function watch<T>(work: Work, question: string, act: () => Promise<T>): Promise<{ readonly result: T; readonly seen: ReadonlySet<string> }> {
  const seen = new Set<string>();
  return withSession(work.url, `${work.tag}:watch`.slice(0, 63), async (session) => {
    let over = false;
    const watching = (async () => {
      while (!over) {
        for (const { found } of await session.query<{ found: string }>(question, [work.tag]).catch(() => [])) seen.add(found);
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
