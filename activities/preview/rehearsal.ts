// The rehearsal: up → down → compare → up on a restored copy: time, locks held, violating rows, vanishing
// dependents.
import { count } from '../../src/core/count.ts';
import { scratchDatabase } from '../../src/core/ids.ts';
import { journalsOf } from '../../src/core/plan/migrators/index.ts';
import { rowMoves, undeclared } from '../../src/core/moves.ts';
import { specsOf } from '../../src/core/specs.ts';
import { compareSnapshots, describeDifference, type Snapshot } from '../../src/core/snapshot.ts';
import type { Verdict } from '../../src/core/verdict.ts';
import { StepFailure } from '../../src/core/failures.ts';
import { withDatabase, withSession } from '../../src/io/postgres.ts';
import { readDatabase } from '../database/read-database.ts';
import { watchTraffic } from './live-traffic.ts';
import { type Forecast, forecastLocks, type RehearsedLock } from './lock-forecast.ts';
import { REHEARSED_CATALOG } from '../migrate/migrate.ts';
import type { HeldLock, MigrationPreview, Migrator } from '../migrators/migrator.ts';
import { migratesInMaintenance, rewritten, tableFiles } from './table-rewrites.ts';
import { copyTarget } from '../backup/scratch.ts';
import { ruleProblem } from '../data/rules.ts';
import { shapeOf } from '../data/table-shape.ts';
import { countViolations } from '../data/violations.ts';
import type { Work } from '../frame/step-context.ts';

export interface Rehearsal {
  readonly verdict: Verdict;
  readonly summary: string;
  readonly lines: readonly string[];
  readonly figures: Readonly<Record<string, number>>;
}

const LIMITS = { lockTimeoutMs: 60_000, giveUpAfterMs: 0, statementTimeoutMs: 3_600_000 };

/** Rehearses on a copy of the target as it is now, with the fixes that are still to come already made. */
export async function rehearse(
  work: Work,
  migrator: Migrator,
  files: readonly MigrationPreview[],
  how: 'up' | 'up-down-up',
  declared: readonly string[],
): Promise<Rehearsal> {
  const pending = files.map(({ name }) => name);
  const database = scratchDatabase(work.rollout);
  const url = withDatabase(work.url, database);
  work.progress('copying the target');
  await copyTarget(work, database);
  await fixLater(work, url);
  const before = await look(work, url);
  const sql = files.map((file) => file.up).join('\n;\n');
  const violations = await countViolations(work, url, sql);
  const tables = await tableFiles(work, url);
  const { result, traffic } = await watchTraffic(work, () => walk(work, url, migrator, pending, how, before));
  const { failed, upMs, times, locks, after, tablesAfter, back } = result;
  if (failed || !after) {
    const summary = 'the migration fails on a copy of this database';
    const lines = [...violations.would, ...(failed ?? []), ...violations.notes];
    return { verdict: 'fail', summary, lines, figures: { upMs, ...violations.figures } };
  }
  await work.world.permitStore.noteAgain(work.rollout, REHEARSED_CATALOG, JSON.stringify(after.catalog));
  const forecast = await forecastLocks(work, locks, traffic);
  const [anew, quiet] = [rewritten(tables, tablesAfter), migratesInMaintenance(work)];
  const moves = rowMoves(before, after, [...journalsOf(work.list.migrations!), ...migrator.ledgers(work)]);
  const bad = [
    ...violations.would,
    ...vanishing(before, after, sql),
    ...(quiet ? [] : anew.map((line) => `${line}; not outside maintenance`)),
    ...undeclared(moves, declared),
    ...back,
  ];
  return judged({ how, upMs, bad, times, locks, moves, anew, quiet, forecast, violations });
}

interface Seen {
  readonly how: string;
  readonly upMs: number;
  /** What speaks against the migration. */
  readonly bad: readonly string[];
  readonly times: readonly string[];
  readonly locks: readonly unknown[];
  readonly moves: ReturnType<typeof rowMoves>;
  /** Tables that are written anew; noted only, where nobody is served meanwhile. */
  readonly anew: readonly string[];
  readonly quiet: boolean;
  readonly forecast: Forecast;
  readonly violations: Awaited<ReturnType<typeof countViolations>>;
}

function judged({ how, upMs, bad, forecast, violations, ...seen }: Seen): Rehearsal {
  const { waits, blocks, blocked } = forecast;
  const counts = {
    locks: seen.locks.length,
    wouldWait: waits.length,
    wouldBlock: blocked,
    rewritten: seen.anew.length,
    moves: seen.moves.length,
  };
  return {
    verdict: bad.length > 0 ? 'fail' : 'pass',
    summary: bad.length > 0 ? 'the rehearsal found a problem' : wentWell(how, upMs, forecast),
    lines: [
      ...bad,
      ...waits,
      ...blocks,
      ...seen.times,
      ...(seen.quiet ? seen.anew : []),
      ...seen.moves.map(({ table, what }) => `moves rows of ${table}: ${what}`),
      ...forecast.lines,
      ...violations.notes,
    ],
    figures: { upMs, ...counts, ...violations.figures },
  };
}

function wentWell(how: string, upMs: number, { waits, blocked }: Forecast): string {
  return [
    `rehearsed ${how} in ${upMs} ms`,
    ...(waits.length > 0 ? [`${count(waits.length, 'lock')} would wait now`] : []),
    ...(blocked > 0
      ? [`${count(blocked, 'running query', 'running queries')} would block on this migration`]
      : []),
  ].join(', ');
}

interface Walk extends WayUp {
  /** Null when the way up failed. */
  readonly after: Snapshot | null;
  readonly tablesAfter: Awaited<ReturnType<typeof tableFiles>>;
  /** What is wrong with the way down, and up again. */
  readonly back: readonly string[];
}

async function walk(
  work: Work,
  url: string,
  migrator: Migrator,
  pending: readonly string[],
  how: 'up' | 'up-down-up',
  before: Snapshot,
): Promise<Walk> {
  const up = await goUp(work, url, migrator, pending);
  if (up.failed) return { ...up, after: null, tablesAfter: new Map(), back: [] };
  const after = await look(work, url);
  const tablesAfter = await tableFiles(work, url);
  return {
    ...up,
    after,
    tablesAfter,
    back: how === 'up' ? [] : await thereAndBack(work, url, migrator, pending, before),
  };
}

interface WayUp {
  /** Why it did not go through; null when it did. */
  readonly failed: readonly string[] | null;
  readonly upMs: number;
  /** One line for each migration. */
  readonly times: readonly string[];
  /** Each once, of the migration that kept it longest. */
  readonly locks: readonly RehearsedLock[];
}

async function goUp(work: Work, url: string, migrator: Migrator, pending: readonly string[]): Promise<WayUp> {
  const locks = new Map<string, RehearsedLock>();
  const times: string[] = [];
  const onLocks = (name: string, held: readonly HeldLock[], tookMs: number) => {
    times.push(`${name}: ${Math.round(tookMs)} ms`);
    for (const lock of held) {
      const key = `${lock.relation} ${lock.mode}`;
      if (tookMs >= (locks.get(key)?.heldMs ?? 0))
        locks.set(key, { ...lock, migration: name, heldMs: tookMs });
    }
  };
  const started = performance.now();
  const failed = await attempt(() => migrator.upgrade(work, url, pending, { ...LIMITS, onLocks }));
  return { failed, upMs: Math.round(performance.now() - started), times, locks: [...locks.values()] };
}

const look = (work: Work, url: string): Promise<Snapshot> =>
  readDatabase(work, { url, saying: 'rehearsal: counting' });

async function attempt(act: () => Promise<unknown>): Promise<readonly string[] | null> {
  try {
    await act();
    return null;
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    return [error.message, ...error.details];
  }
}

/**
 * A fix that the plan makes after the preview is made on the copy first, or the copy would be judged dirty.
 */
async function fixLater(work: Work, url: string): Promise<void> {
  const later = specsOf({ steps: work.list.steps.slice(work.step.index) }, 'fixData');
  const rules = later.flatMap((spec) => spec.rules.filter((rule) => rule.fix));
  await withSession(url, work.tag, async (session) => {
    await session.query('reset search_path');
    for (const rule of rules) {
      // What is no rule is refused where it is asked; here nothing is run of it.
      if (ruleProblem(rule) !== null) continue;
      const { quoted } = await shapeOf(session, rule.table);
      await session.one(`update ${quoted} t set\n${rule.fix}\nwhere (\n${rule.bad}\n)`);
    }
  });
  for (const { fix } of later) {
    if (fix) await work.runRelease(fix.command, { url });
  }
}

/** Objects that are gone although the migration never names them: a CASCADE took them along. */
function vanishing(before: Snapshot, after: Snapshot, sql: string): readonly string[] {
  return compareSnapshots({ ...before, content: {}, sequences: {} }, { ...after, content: {}, sequences: {} })
    .filter(
      (difference) =>
        difference.is === null &&
        difference.object.startsWith('view ') &&
        !sql.includes(difference.object.split('.').at(-1) ?? ''),
    )
    .map((difference) => `${difference.object} depends on what is changed and would vanish`);
}

/** Down must lead back to exactly what was there, and up must work again afterwards. */
async function thereAndBack(
  work: Work,
  url: string,
  migrator: Migrator,
  pending: readonly string[],
  before: Snapshot,
): Promise<readonly string[]> {
  const down = await attempt(() => migrator.downgrade(work, url, pending, LIMITS));
  if (down) return ['the down migration fails', ...down];
  const except = [...journalsOf(work.list.migrations!), ...(migrator.leavesRows?.(work) ?? [])];
  const left = compareSnapshots(before, await look(work, url), except).map(
    (difference) => `the down migration does not restore: ${describeDifference(difference)}`,
  );
  const again = await attempt(() => migrator.upgrade(work, url, pending, LIMITS));
  return [...left, ...(again ? ['after the down migration, the up migration fails', ...again] : [])];
}
