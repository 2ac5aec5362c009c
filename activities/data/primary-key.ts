// How a row is named: its primary key as one text.
import { quoteName, quoteTable, type Session } from '../../src/io/postgres.ts';

export async function hasPrimaryKey(session: Session, table: string): Promise<boolean> {
  return (await primaryKey(session, table)) !== WHOLE_ROW;
}

const WHOLE_ROW = 't::text';

/** The columns of the primary key, in its order; none where there is no key. */
export async function keyColumns(session: Session, table: string): Promise<readonly string[]> {
  const rows = await session.query<{ name: string }>(
    `select a.attname as name from pg_index i cross join lateral unnest(i.indkey) with ordinality as k(attnum, place)
       join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum where i.indrelid = to_regclass($1) and i.indisprimary order by k.place`,
    [quoteTable(table)],
  );
  return rows.map((row) => row.name);
}

/** The primary key as one text; a table without one is compared by its whole rows. */
export async function primaryKey(session: Session, table: string): Promise<string> {
  const columns = await keyColumns(session, table);
  if (columns.length === 0) return WHOLE_ROW;
  return columns.map((name) => `t.${quoteName(name)}::text`).join(` || '/' || `);
}
