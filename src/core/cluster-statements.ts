// SQL that acts on more than the database it runs in: on a copy it would do for real what it should only rehearse.
import { statementsOf } from './sql-tokens.ts';

const CLUSTER =
  /^(?:(?:create|alter|drop) (?:role|user(?! mapping)|group|tablespace)|alter (?:database|system)|(?:create|drop) (?:database|subscription)|alter subscription|reassign owned|drop owned)\b/u;
const ELSEWHERE = /\b(dblink(?:_exec|_send_query)?|pg_terminate_backend|pg_reload_conf|pg_rotate_logfile)\b/u;

/** What reaches beyond the database, e.g. `line 3: CREATE ROLE`; empty where nothing does. */
export function beyondDatabase(text: string): readonly string[] {
  return statementsOf(text).flatMap((statement): readonly string[] => {
    const [first] = statement;
    if (!first) return [];
    const words = statement.map(({ kind, value }) => (kind === 'word' ? value : '?')).join(' ');
    const what = CLUSTER.exec(words)?.[0] ?? ELSEWHERE.exec(words)?.[1];
    if (what === undefined) return [];
    return [`line ${text.slice(0, first.start).split('\n').length}: ${what.toUpperCase()}`];
  });
}
