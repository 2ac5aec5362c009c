// A session of ours beside the one that migrates: it names who is in the way, and ends what goes on for
// longer than the limits, whatever a migration sets for itself (in a file, a DO block, a function): no text
// shows that.
import { randomInt } from 'node:crypto';
import { connect } from '../../src/io/postgres.ts';
import { formatDuration } from '../../src/core/plan/units.ts';
import type { Work } from '../frame/step-context.ts';
import type { UpgradeOptions } from './migrator.ts';

/** SQLSTATE of a lock that was not given in time, and of a statement that was ended. */
export const LOCK_NOT_AVAILABLE = '55P03';
export const CANCELED = '57014';
/** PostgreSQL's own timer comes first, as long as nobody has lifted it. */
const LOCK_GRACE_MS = 25;
const STATEMENT_GRACE_MS = 200;
const LOOK_EVERY_MS = 20;
const MARK_CLASS = 0x5347;

type Late = 'lock' | 'statement' | undefined;
type Limits = Pick<UpgradeOptions, 'lockTimeoutMs' | 'statementTimeoutMs'>;

/** One try under watch. */
export interface Watched {
  /**
   * Said in each transaction of the migration: sets the limits anew, and marks the session for the watch
   * until the transaction ends, whatever the session calls itself by then.
   */
  readonly enter: string;
  /** Who was in the way. */
  readonly blockers: ReadonlySet<string>;
  /** What it has ended last, and why, for people; none where the limits were in force. */
  whyEnded(): readonly string[];
  /** The SQLSTATE that a failure would have had with the limits in force. */
  stateOf(state: string): Promise<string>;
}

/** The sessions that migrate: ours by name, or by the mark. */
const MIGRATING = `select a.* from pg_stat_activity a
  where a.datname = current_database() and a.pid <> pg_backend_pid() and a.backend_type = 'client backend'
  and (a.application_name = $1 or a.pid in (select pid from pg_locks where locktype = 'advisory'
    and objsubid = 2 and classid = ${MARK_CLASS} and objid::bigint = $2::bigint and granted))`;
const BLOCKERS = `select distinct format('%s (pid %s, %s, in its transaction for %s s)',
    coalesce(nullif(b.application_name, ''), b.usename), b.pid, b.state,
    round(extract(epoch from now() - b.xact_start))) as who
  from (${MIGRATING}) a, unnest(pg_blocking_pids(a.pid)) as blocker
  join pg_stat_activity b on b.pid = blocker`;
const END_LATE = `select what, pg_cancel_backend(pid) from (
    select a.pid, case
      when exists (select from pg_locks l where l.pid = a.pid and not l.granted
        and l.waitstart < clock_timestamp() - $3 * interval '1 ms') then 'lock'
      when a.query_start < clock_timestamp() - $4 * interval '1 ms' then 'statement' end as what
    from (${MIGRATING}) a where a.state = 'active' offset 0) late
  where what is not null`;

/**
 * Watches the session of `during` until it is over. A watch that was ended begins again.
 * @throws StepFailure TARGET_UNREACHABLE when it cannot begin: nothing is migrated without it.
 */
export async function watched<T>(
  work: Work,
  url: string,
  limits: Limits,
  during: (watch: Watched) => Promise<T>,
): Promise<T> {
  const mark = randomInt(2 ** 31);
  const blockers = new Set<string>();
  let [over, ended]: [boolean, Late] = [false, undefined];
  let session = await connect(url, work.tag);
  let looking: Promise<string> = Promise.resolve('');
  const look = async () => {
    if (session.lost()) session = await connect(url, work.tag);
    for (const { who } of await session.query<{ who: string }>(BLOCKERS, [work.tag, mark])) blockers.add(who);
    const late = [limits.lockTimeoutMs + LOCK_GRACE_MS, limits.statementTimeoutMs + STATEMENT_GRACE_MS];
    const rows = await session.query<{ what: Late }>(END_LATE, [work.tag, mark, ...late]);
    ended = rows.at(-1)?.what ?? ended;
  };
  const watching = (async () => {
    let said = '';
    while (!over) {
      looking = look().then(
        () => '',
        (error: Error) => error.message,
      );
      const problem = await looking;
      if (problem !== said && problem !== '')
        await work
          .log(`the limits of the migration cannot be watched, tried again: ${problem}\n`)
          .catch(() => undefined);
      said = problem;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  })();
  try {
    return await during({
      enter: enterWith(mark, limits),
      blockers,
      whyEnded: () => whyEnded(ended, limits),
      stateOf: async (state) => {
        // What it has ended may be over before it has heard of it itself.
        await looking;
        return state === CANCELED && ended === 'lock' ? LOCK_NOT_AVAILABLE : state;
      },
    });
  } finally {
    over = true;
    await watching;
    await session.end().catch(() => undefined);
  }
}

const enterWith = (mark: number, { lockTimeoutMs, statementTimeoutMs }: Limits): string =>
  `do $soakgate$ begin
    perform pg_catalog.pg_advisory_xact_lock(${MARK_CLASS}, ${mark});
    perform pg_catalog.set_config('lock_timeout', '${lockTimeoutMs}', false);
    perform pg_catalog.set_config('statement_timeout', '${statementTimeoutMs}', false);
  end $soakgate$`;

function whyEnded(late: Late, { lockTimeoutMs, statementTimeoutMs }: Limits): readonly string[] {
  if (late === 'lock')
    return [
      'Soakgate has ended the waiting: the migration has lifted lock_timeout for its own session, and no ' +
        `lock is waited for longer than ${formatDuration(lockTimeoutMs)}`,
    ];
  if (late === undefined) return [];
  return [
    `Soakgate has ended the statement after ${formatDuration(statementTimeoutMs)}: the migration has ` +
      'lifted statement_timeout for its own session; where a statement needs longer, raise ' +
      'statement-timeout in the plan',
  ];
}
