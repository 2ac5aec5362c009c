// The lock forecast: what the rehearsal locked and for how long, held against who holds what on the target
// now, and who asks for it.
import { specsOf } from '../../src/core/specs.ts';
import { type Session, withSession } from '../../src/io/postgres.ts';
import type { SeenStatement, Traffic } from './live-traffic.ts';
import type { HeldLock } from '../migrators/migrator.ts';
import type { Work } from '../frame/step-context.ts';

const STRONG = [
  'AccessExclusiveLock',
  'ExclusiveLock',
  'ShareRowExclusiveLock',
  'ShareUpdateExclusiveLock',
  'ShareLock',
];
const BLOCKS_READERS = 'AccessExclusiveLock';
const LISTED = 5;

/** A lock of the rehearsal; it is held to the end of its migration, which took so long on the copy. */
export interface RehearsedLock extends HeldLock {
  readonly migration: string;
  readonly heldMs: number;
}

export interface Forecast {
  /** One line for each lock that matters. */
  readonly lines: readonly string[];
  /** Who would be waited for now, by name, and what stands behind it. */
  readonly waits: readonly string[];
  /** Which statements of the watched traffic would wait, of whom, and for how long. */
  readonly blocks: readonly string[];
  /** How many statements, told apart by their form, would wait. */
  readonly blocked: number;
}

/** Names relation, mode, wait, the views that read the relation, and the statements that would wait. */
export async function forecastLocks(
  work: Work,
  held: readonly RehearsedLock[],
  traffic: Traffic,
): Promise<Forecast> {
  const strong = held.filter((lock) => STRONG.includes(lock.mode));
  const behind = strong.map((lock) => ({
    lock,
    statements: traffic.statements.filter((seen) => waitsBehind(lock, seen)),
  }));
  const blocks = behind.flatMap(({ lock, statements }) => blocksOf(work, lock, statements, traffic));
  const blocked = new Set(
    behind.flatMap(({ statements }) => statements.map(({ who, statement }) => `${who} ${statement}`)),
  ).size;
  return withSession(work.url, work.tag, async (session) => {
    const lines: string[] = [];
    const waits: string[] = [];
    for (const { relation, mode, migration, heldMs } of strong) {
      const views = await session.query<{ name: string }>(
        `select distinct v.oid::regclass::text as name from pg_depend d join pg_rewrite r
          on r.oid = d.objid join pg_class v on v.oid = r.ev_class
         where d.refobjid = to_regclass($1) and d.classid = 'pg_rewrite'::regclass and v.oid <> d.refobjid`,
        [relation],
      );
      const readers = views.length > 0 ? `; read by ${views.map((view) => view.name).join(', ')}` : '';
      lines.push(
        `locks ${relation} in ${mode}${mode === BLOCKS_READERS ? ' (readers wait, too)' : ''} for at ` +
          `most ${ms(heldMs)} (${migration})${readers}`,
      );
      const holders = await holdersOf(session, relation);
      waits.push(
        ...holders
          .filter((holder) => conflicts(mode, holder.mode))
          .map(
            (holder) =>
              `would wait for ${relation} in ${mode}: ${holder.who} holds ${holder.mode} for ` +
              `${holder.since} s${readers}`,
          ),
      );
    }
    return { lines, waits, blocks, blocked };
  });
}

/** Other sessions with a lock on the relation now, each with its mode and the age of its transaction in s. */
const holdersOf = (session: Session, relation: string) =>
  session.query<{ who: string; mode: string; since: string }>(
    `select format('%s (pid %s, %s)', coalesce(nullif(a.application_name, ''), a.usename), a.pid, a.state) as who,
       l.mode, round(extract(epoch from now() - a.xact_start))::text as since
     from pg_locks l join pg_stat_activity a using (pid)
     where l.relation = to_regclass($1) and l.granted and l.pid <> pg_backend_pid()
       and l.database = (select oid from pg_database where datname = current_database())`,
    [relation],
  );

/** The lock of a statement is asked for anew each time, so it waits when the modes conflict. */
const waitsBehind = (lock: HeldLock, seen: SeenStatement): boolean =>
  seen.relation === lock.relation && conflicts(seen.mode, lock.mode);

function blocksOf(
  work: Work,
  lock: RehearsedLock,
  statements: readonly SeenStatement[],
  traffic: Traffic,
): readonly string[] {
  const { relation, mode, heldMs } = lock;
  const { scans = 0, rowsWritten = 0 } = traffic.rates.get(relation) ?? {};
  const asked = rowsWritten + (mode === BLOCKS_READERS ? scans : 0);
  if (statements.length === 0 && asked === 0) return [];
  const often = [
    ...(mode === BLOCKS_READERS ? [`${perSecond(scans)} scans`] : []),
    `${perSecond(rowsWritten)} rows written`,
  ].join(' and ');
  const sorted = statements.toSorted((one, other) => other.seen - one.seen);
  return [
    `would block ${relation} for at most ${ms(heldMs)}${triesOf(work)}: ${often} a second now`,
    ...sorted
      .slice(0, LISTED)
      .map(
        ({ who, statement, mode: wanted, seen }) =>
          `would wait behind ${mode} on ${relation}: ${who}, ${wanted}, in ${seen} of ` +
          `${traffic.samples} looks: ${statement}`,
      ),
    ...(sorted.length > LISTED
      ? [`would wait behind ${mode} on ${relation}: ${sorted.length - LISTED} more`]
      : []),
  ];
}

/** While the migration waits for its own lock, whoever asks after it waits, too. */
function triesOf({ list }: Work): string {
  const timeout = specsOf(list, 'migrate')[0]?.lockTimeoutMs;
  return timeout !== undefined ? ` (and ${ms(timeout)} with each try that does not get it)` : '';
}

const ms = (value: number): string => `${Math.ceil(value)} ms`;
const perSecond = (value: number): string =>
  value === 0 || value >= 10 ? value.toFixed(0) : value.toFixed(1);

/** PostgreSQL's table of conflicting lock modes (manual, 13.3.1), from weakest to strongest. */
const conflictTable: Readonly<Record<string, readonly string[]>> = {
  AccessShareLock: ['AccessExclusiveLock'],
  RowShareLock: ['ExclusiveLock', 'AccessExclusiveLock'],
  RowExclusiveLock: ['ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'],
  ShareUpdateExclusiveLock: [
    'ShareUpdateExclusiveLock',
    'ShareLock',
    'ShareRowExclusiveLock',
    'ExclusiveLock',
    'AccessExclusiveLock',
  ],
  ShareLock: [
    'RowExclusiveLock',
    'ShareUpdateExclusiveLock',
    'ShareRowExclusiveLock',
    'ExclusiveLock',
    'AccessExclusiveLock',
  ],
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
