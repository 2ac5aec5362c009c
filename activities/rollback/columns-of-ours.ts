// Which columns of a table this rollout may have changed: who wrote a row last does not tell who changed which of them.
import { quoteTable, type Session } from '../../src/io/postgres.ts';
import type { TableMark } from '../../src/core/snapshot.ts';
import { type Assigned, assignedColumns } from '../../src/io/sql-grammar.ts';
import { migratorOf } from '../migrators/index.ts';
import type { Work } from '../frame/step-context.ts';
import { hasUpdated } from './row-writers.ts';

/** What the migrations of this rollout assign, up and down; null where their text does not tell. */
export type Assigns = readonly Assigned[] | null;

/** Only of files of SQL; what the code of another migrator assigns is not known, and nothing is said of it. */
export async function assignsOf(work: Work): Promise<Assigns> {
  const { migrations } = work.list;
  if (!migrations) return [];
  const migrator = migratorOf(migrations.tool);
  if (!migrator.runsFiles) return [];
  const files = await migrator.preview(work, migrations.pending).catch(() => null);
  if (files === null) return null;
  const each = files.flatMap(({ up, down }) => [up, down ?? '']).map(assignedColumns);
  return each.every((one) => one !== null) ? each.flat() : null;
}

/** Columns of the table that were made since the backup, or that this rollout has assigned in rows that were there. */
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
  const wrote = await hasUpdated(session, work, table);
  const isAssigned = (name: string) =>
    assigns === null || assigns.some((one) => one.column === name && isTable(table, one.table));
  return rows.filter(({ name, made }) => made || (wrote && isAssigned(name))).map(({ name }) => name);
}

const isTable = (table: string, written: string): boolean =>
  table === written || (!written.includes('.') && table.endsWith(`.${written}`));
