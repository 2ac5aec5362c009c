// Which columns of a table this rollout may have changed: who wrote a row last does not tell who changed which of them.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { quoteTable, type Session } from '../../src/io/postgres.ts';
import type { TableMark } from '../../src/core/snapshot.ts';
import { specsOf } from '../../src/core/specs.ts';
import { assignedColumns } from '../../src/io/sql-grammar.ts';
import { migratorOf } from '../migrators/index.ts';
import type { Work } from '../frame/step-context.ts';
import { rowsWritten } from './row-writers.ts';

/** Columns that the SQL of this rollout assigns, there and back; null where its text does not tell. */
export type Assigns = readonly string[] | null;

/**
 * Of migrations and their forward fixes in files, and of SQL steps. What other code assigns is not known, and nothing is
 * said of it.
 */
export async function assignsOf(work: Work): Promise<Assigns> {
  try {
    const each = (await textsOf(work)).map(assignedColumns);
    return each.every((one) => one !== null) ? each.flat() : null;
  } catch {
    return null;
  }
}

async function textsOf(work: Work): Promise<readonly string[]> {
  const { migrations, fallbacks } = work.list;
  const files = specsOf(work.list, 'sqlFile').flatMap(({ file, undo }) => [file, undo]);
  const migrator = migrations && migratorOf(migrations.tool);
  if (!migrations || !migrator?.runsFiles) return readAll(work, files);
  const forward = Object.values(fallbacks).flatMap((fallback) =>
    'forward' in fallback ? migrator.prepared(work, fallback.forward).map(({ from }) => from) : [],
  );
  const pending = await migrator.preview(work, migrations.pending);
  return [
    ...pending.flatMap(({ up, down }) => [up, down ?? '']),
    ...(await readAll(work, [...files, ...forward])),
  ];
}

const readAll = (work: Work, files: readonly string[]): Promise<string[]> =>
  Promise.all(files.map((file) => readFile(join(work.checkout, file), 'utf8')));

/**
 * Columns of the table that were made since the backup, or that this rollout assigns and may have assigned here. By
 * name alone: a statement may name the table by its parent or by a view.
 */
export async function columnsOfOurs(
  session: Session,
  work: Work,
  table: string,
  { mark, assigns }: { readonly mark: TableMark | undefined; readonly assigns: Assigns },
): Promise<readonly string[]> {
  const rows = await session.query<{ name: string; made: boolean }>(
    `select attname as name, attnum > $2 as made from pg_catalog.pg_attribute
      where attrelid = to_regclass($1) and attnum > 0 and not attisdropped order by attnum`,
    [quoteTable(table), mark?.columns ?? 32_767],
  );
  const { changed } = await rowsWritten(session, work, table);
  return rows
    .filter(({ name, made }) => made || (changed && (assigns === null || assigns.includes(name))))
    .map(({ name }) => name);
}
