// What a restore would lose, counted before anybody signs it: rows that others have written since the backup.
import { count } from '../../src/core/count.ts';
import type { Newer } from '../../src/core/activities.ts';
import type { RolloutRef } from '../../src/core/ids.ts';
import { withSession } from '../../src/io/postgres.ts';
import { listTables } from '../../src/io/snapshot.ts';
import { provenBackup } from '../backup/backup.ts';
import { tableShape } from '../data/table-shape.ts';
import { fromItsRollout, openWork, type WorkerContext } from '../frame/step-context.ts';
import { isNewer } from './newer-rows.ts';
import { writerOf } from './row-writers.ts';

const NAMED = 5;

/**
 * One pass over each table, without its hashes; the largest loss comes first. Rows that are gone have nobody to
 * ask, so deletions are not counted, and the sentence says so.
 */
export async function countNewer(
  world: WorkerContext,
  { rollout }: { readonly rollout: RolloutRef },
): Promise<Newer> {
  fromItsRollout(rollout);
  const step = (await world.permitStore.rollout(rollout))?.list.steps[0];
  const work = step && (await openWork(world, rollout, step));
  const backup = work && (await provenBackup(work));
  if (!work || !backup) return { rows: 0, tables: [], summary: 'no backup of this rollout has been proven' };
  const tables = await withSession(work.url, work.tag, async (session) => {
    const counted: { table: string; rows: number }[] = [];
    for (const table of await listTables(session)) {
      work.progress(`counting what is newer than the backup: ${table}`);
      const shape = await tableShape(session, table);
      if (!shape) continue;
      const writer = await writerOf(session, work, table, backup.seen);
      const [row] = await session.query<{ rows: string }>(
        `select count(*) as rows from only ${shape.quoted} t where ${isNewer(backup.seen)}
          and ${writer} in ('other', 'either')`,
      );
      if (row && row.rows !== '0') counted.push({ table, rows: Number(row.rows) });
    }
    return counted.sort((a, b) => b.rows - a.rows);
  });
  return {
    rows: tables.reduce((sum, { rows }) => sum + rows, 0),
    tables,
    summary: summaryOf(tables, backup.at),
  };
}

function summaryOf(tables: Newer['tables'], at: string): string {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const named = tables.slice(0, NAMED).map((table) => `${table.table} ${table.rows}`);
  const rest = tables.length > NAMED ? [`${count(tables.length - NAMED, 'more table')}`] : [];
  const where = rows > 0 ? ` (${[...named, ...rest].join(', ')})` : '';
  const now = new Date().toISOString();
  return (
    `${count(rows, 'row')} written since the backup of ${at}${where}, counted at ${now}; deleted rows are ` +
    'not counted'
  );
}
