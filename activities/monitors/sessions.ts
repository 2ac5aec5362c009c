// The sessions of the database as they stand: slow transactions, waits for locks with who is in the way,
// foreign keys without an index.
import { statementShape } from '../../src/core/statement-shape.ts';
import { observeTag } from '../../src/core/ids.ts';
import { type Session, withSession } from '../../src/io/postgres.ts';
import type { Reader } from './reader.ts';

const NAMED = 5;
const NOT_OURS =
  `a.datname = current_database() and a.backend_type = 'client backend' and ` +
  `coalesce(a.application_name, '') !~ '^sgo?:'`;
const WHO = `format('%s (pid %s)', coalesce(nullif(a.application_name, ''), a.usename), a.pid)`;

/**
 * Statements without their values: they are people's data. Sessions of ours are none of the application's.
 */
export const readSessions: Reader<'sessions'> = async (work, { name, monitor, read: { sessions }, at }) => {
  const found = await withSession(work.url, observeTag(work.rollout), async (session) => {
    await refuseUnseen(session);
    return {
      slow: await slow(session, sessions.slowMs),
      waiting: await waiting(session),
      unindexed: await unindexed(session),
    };
  });
  const named = (lines: readonly string[]) =>
    [...lines.slice(0, NAMED), ...(lines.length > NAMED ? [`${lines.length - NAMED} more`] : [])].join('; ');
  return {
    samples: Object.keys(monitor.metrics).map((metric) => {
      const lines = found[metric as keyof typeof found] ?? [];
      return {
        monitor: name,
        metric,
        at,
        value: lines.length,
        ...(lines.length > 0 && { about: named(lines) }),
      };
    }),
    ...([...found.slow, ...found.waiting].length > 0 && { excerpt: [...found.slow, ...found.waiting] }),
  };
};

/**
 * Of sessions that a role may not see there is neither age nor statement: that is no zero (rule 1). @throws
 * Error naming the grant.
 */
async function refuseUnseen(session: Session): Promise<void> {
  const [hidden] = await session.query<{ role: string; others: string | null }>(
    `select current_user as role, string_agg(distinct a.usename, ', ') as others from pg_stat_activity a
     where a.datname = current_database() and a.query = '<insufficient privilege>'`,
  );
  if (hidden?.others)
    throw new Error(
      `role ${hidden.role} may not see the sessions of ${hidden.others}: grant pg_read_all_stats to ` +
        `${hidden.role}`,
    );
}

async function slow(session: Session, slowMs: number): Promise<readonly string[]> {
  const rows = await session.query<{ who: string; age: string; state: string; query: string }>(
    `select ${WHO} as who, round(extract(epoch
      from now() - a.xact_start)::numeric, 1)::text as age, a.state, a.query
     from pg_stat_activity a where ${NOT_OURS} and a.xact_start < now() - $1 * interval '1 millisecond'
     order by a.xact_start`,
    [slowMs],
  );
  return rows.map(
    ({ who, age, state, query }) =>
      `${who} in its transaction for ${age} s (${state}): ${statementShape(query)}`,
  );
}

async function waiting(session: Session): Promise<readonly string[]> {
  const rows = await session.query<{ who: string; query: string; blockers: string }>(
    `select ${WHO} as who, a.query, (select string_agg(format('%s (pid %s)',
      coalesce(nullif(b.application_name, ''), b.usename), b.pid), ', ')
       from pg_stat_activity b where b.pid = any(pg_blocking_pids(a.pid))) as blockers
     from pg_stat_activity a where ${NOT_OURS} and a.wait_event_type = 'Lock' order by a.query_start`,
  );
  return rows.map(
    ({ who, query, blockers }) =>
      `${who} waits for ${blockers ?? 'nobody any more'}: ${statementShape(query)}`,
  );
}

/** Each deleted or locked row of the other side looks through the whole table. */
async function unindexed(session: Session): Promise<readonly string[]> {
  const rows = await session.query<{ key: string }>(
    `select format('%s.%s (%s) has no index', n.nspname, t.relname, c.conname) as key
     from pg_constraint c join pg_class t on t.oid = c.conrelid join pg_namespace n on n.oid = t.relnamespace
     where c.contype = 'f' and n.nspname not in ('soakgate', 'information_schema') and n.nspname !~ '^pg_'
     and not exists
       (select from pg_index i where i.indrelid = c.conrelid and i.indisvalid and i.indpred is null
          and (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey)
     order by 1`,
  );
  return rows.map(({ key }) => key);
}
