// In which databases of the server a command was at work, asked of the server while it runs.
import { withSession } from '../../src/io/postgres.ts';
import type { Work } from '../frame/step-context.ts';

const EVERY_MS = 4;

/** Runs it, and collects the databases of this server in which sessions of this attempt's name were seen. */
export async function watchDatabases<T>(
  work: Work,
  act: () => Promise<T>,
): Promise<{ readonly result: T; readonly databases: readonly string[] }> {
  const seen = new Set<string>();
  return withSession(work.url, `${work.tag}:watch`.slice(0, 63), async (session) => {
    const question = `select distinct datname as found from pg_stat_activity where application_name = $1
        and datname <> 'postgres'`;
    let over = false;
    const watching = (async () => {
      while (!over) {
        for (const { found } of await session.query<{ found: string }>(question, [work.tag]).catch(() => []))
          seen.add(found);
        await new Promise((wake) => setTimeout(wake, EVERY_MS));
      }
    })();
    try {
      return { result: await act(), databases: [...seen].sort() };
    } finally {
      over = true;
      await watching;
    }
  });
}
