// What a rollback left, compared with what was recorded in the snapshot of the backup.
import { count } from '../../src/core/count.ts';
import { journalsOf } from '../../src/core/plan/migrators/index.ts';
import type { CompareInput, Comparison } from '../../src/core/activities.ts';
import { compareDatabase } from '../../src/core/ids.ts';
import {
  compareSnapshots,
  type Difference,
  describeDifference,
  type Snapshot,
} from '../../src/core/snapshot.ts';
import { takeTargetLock } from '../../src/io/target-lock.ts';
import { quoteName, quoteTable, type Session, withDatabase, withSession } from '../../src/io/postgres.ts';
import { readWholeSnapshot } from '../../src/io/snapshot.ts';
import { dumpName, recordedSnapshot } from '../backup/backup.ts';
import { fixedKeys } from '../data/before-images.ts';
import { primaryKey } from '../data/primary-key.ts';
import { dropScratch, recreateFrom } from '../backup/scratch.ts';
import { fromItsRollout, openWork, type Work, type WorkerContext } from '../frame/step-context.ts';
import { foreignWrites } from '../frame/write-counts.ts';

const LISTED_KEYS = 50;

export async function compareRollback(world: WorkerContext, input: CompareInput): Promise<Comparison> {
  fromItsRollout(input.rollout);
  const step = (await world.permitStore.rollout(input.rollout))?.list.steps[0];
  if (!step) return { equal: true, differences: [], writtenSince: [], summary: 'nothing was deployed here' };
  const work = await openWork(world, input.rollout, step);
  const recorded = await recordedSnapshot(work);
  if (!recorded)
    return { equal: true, differences: [], writtenSince: [], summary: 'the database was never changed' };
  const hold = await takeTargetLock({
    url: work.url,
    rollout: work.rollout,
    tag: work.tag,
    processNotes: world.permitStore.processNotes(work.rollout),
  });
  try {
    const now = await withSession(work.url, work.tag, async (session) =>
      readWholeSnapshot(session, { onTable: (table) => work.progress(`comparing ${table}`) }),
    );
    await work.record('after', 'database.json', now);
    return await judge(work, recorded, now);
  } finally {
    await hold.release();
  }
}

async function judge(work: Work, recorded: Snapshot, now: Snapshot): Promise<Comparison> {
  const journals = work.list.migrations ? journalsOf(work.list.migrations) : [];
  const differences = compareSnapshots(recorded, now, journals);
  const rows = differences.filter((difference) => difference.what === 'content');
  const left = differences.filter((difference) => difference.what === 'catalog').map(describeDifference);
  const written: string[] = [];
  if (rows.length > 0) {
    const keys = await differingKeys(work, rows);
    const foreign = await foreignWrites(work);
    const fixed = await fixedKeys(work);
    for (const { table, key, how } of keys) {
      if (fixed.has(`${table} ${key}`)) written.push(`${table} ${key}: stays as the fix left it`);
      else if ((foreign[table] ?? 0) > 0)
        written.push(`${table} ${key}: ${how} by the application since the backup`);
      else left.push(`${table} ${key}: ${how}, though nobody but this rollout wrote to the table`);
    }
  }
  return {
    equal: left.length === 0,
    differences: left,
    writtenSince: written,
    summary:
      left.length === 0
        ? 'schema and content as ' +
          `recorded${written.length > 0 ? `, but for ${count(written.length, 'row')} written since or fixed` : ''}`
        : `${count(left.length, 'difference')} from the recorded state`,
  };
}

function atMost(table: string, found: readonly KeyDifference[]): readonly KeyDifference[] {
  return found.length <= LISTED_KEYS
    ? found
    : [
        ...found.slice(0, LISTED_KEYS),
        { table, key: `(and ${found.length - LISTED_KEYS} more)`, how: 'differ' },
      ];
}

export interface KeyDifference {
  readonly table: string;
  readonly key: string;
  readonly how: string;
}

/** Restores the proven dump once more and compares the differing tables row by row. */
async function differingKeys(work: Work, tables: readonly Difference[]): Promise<readonly KeyDifference[]> {
  const database = compareDatabase(work.rollout);
  await recreateFrom(work, database, dumpName(work));
  try {
    return await withSession(withDatabase(work.url, database), work.tag, async (was) =>
      withSession(work.url, work.tag, async (is) => {
        const found: KeyDifference[] = [];
        for (const { object, was: before, is: after } of tables) {
          if (before === null || after === null)
            found.push({
              table: object,
              key: '(all)',
              how: before === null ? 'table left behind' : 'table is gone',
            });
          else found.push(...atMost(object, await compareRows(was, is, object)));
        }
        return found;
      }),
    );
  } finally {
    await dropScratch(work, database);
  }
}

/**
 * Rows that differ between two databases, by key. A table that has gained or lost a column is compared
 * in the columns that both have: that it has another shape is the catalog's to say.
 */
export async function compareRows(
  was: Session,
  is: Session,
  table: string,
): Promise<readonly KeyDifference[]> {
  const key = await primaryKey(is, table);
  const [before, after] = [await columnsOf(was, table), await columnsOf(is, table)];
  const both = after.filter((column) => before.includes(column));
  const select = `select ${key} as key, md5(row(${both.map(quoteName).join(', ')})::text) as hash
    from ${quoteTable(table)} t`;
  const old = new Map(
    (await was.query<{ key: string; hash: string }>(select)).map((row) => [row.key, row.hash]),
  );
  const found: KeyDifference[] = [];
  for (const row of await is.query<{ key: string; hash: string }>(select)) {
    const hash = old.get(row.key);
    old.delete(row.key);
    if (hash === row.hash) continue;
    found.push({ table, key: row.key, how: hash === undefined ? 'added' : 'changed' });
  }
  for (const gone of old.keys()) found.push({ table, key: gone, how: 'removed' });
  // Its hash differs, its columns do not, and no row was found: never taken for equal.
  if (found.length === 0 && both.length === after.length && both.length === before.length)
    return [{ table, key: '(some)', how: 'differ' }];
  return found;
}

async function columnsOf(session: Session, table: string): Promise<readonly string[]> {
  const rows = await session.query<{ name: string }>(
    `select attname as name from pg_attribute where attrelid = to_regclass($1) and attnum > 0
      and not attisdropped order by attnum`,
    [quoteTable(table)],
  );
  return rows.map(({ name }) => name);
}
