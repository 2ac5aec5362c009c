// A table as rows are read and written by it: its columns, its key, and how one row is written as text.
import { fail } from '../../src/core/failures.ts';
import { partsOf, quoteName, quoteTable, quoteText, type Session } from '../../src/io/postgres.ts';

export interface Column {
  readonly name: string;
  /** As `format_type` writes it in this session, e.g. `character varying(20)`. */
  readonly type: string;
  /** Whether a statement may set it; a generated column follows by itself. */
  readonly settable: boolean;
}

export interface TableShape {
  /** `schema.table`, as everything of ours names it. */
  readonly name: string;
  /** The same, as SQL writes it. */
  readonly quoted: string;
  /** PostgreSQL's relkind: r table, p partitioned, v view, m materialised view, f foreign table. */
  readonly kind: string;
  readonly columns: readonly Column[];
  /** Columns of the primary key, in its order; none where there is no key. */
  readonly key: readonly Column[];
}

/** Undefined where there is no such relation on the session's search path. */
export async function tableShape(session: Session, table: string): Promise<TableShape | undefined> {
  const [found] = await session.query<{ oid: string; schema: string; name: string; kind: string }>(
    `select c.oid::text, n.nspname as schema, c.relname as name, c.relkind::text as kind
      from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where c.oid = to_regclass($1)`,
    [quoteTable(table)],
  );
  if (!found) return undefined;
  const columns = await session.query<Column & { place: number | null }>(
    `select a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
        a.attgenerated = '' as settable, array_position(i.indkey::int2[], a.attnum) as place
      from pg_catalog.pg_attribute a
      left join pg_catalog.pg_index i on i.indrelid = a.attrelid and i.indisprimary
        and array_position(i.indkey::int2[], a.attnum) < i.indnkeyatts
      where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped order by a.attnum`,
    [found.oid],
  );
  return {
    name: `${plainName(found.schema)}.${plainName(found.name)}`,
    quoted: `${quoteName(found.schema)}.${quoteName(found.name)}`,
    kind: found.kind,
    columns: columns.map(({ name, type, settable }) => ({ name, type, settable })),
    key: columns
      .filter(({ place }) => place !== null)
      .toSorted((one, other) => one.place! - other.place!)
      .map(({ name, type, settable }) => ({ name, type, settable })),
  };
}

/** @throws StepFailure TABLE_UNKNOWN where there is no such relation on the session's search path. */
export async function shapeOf(session: Session, table: string): Promise<TableShape> {
  return (
    (await tableShape(session, table)) ??
    fail('TABLE_UNKNOWN', `there is no table ${table} on the database's search path`)
  );
}

/** A name with a dot or a quote in it is quoted, so that a qualified one can be taken apart again. */
const plainName = (name: string): string => (/[."]/u.test(name) ? quoteName(name) : name);

/** A name as SQL writes it, in the form of `TableShape.name`. */
export const plainTable = (quoted: string): string =>
  partsOf(quoted)
    .map((part) => plainName(part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part))
    .join('.');

/**
 * A row of the table aliased `t` as one JSON object, column → PostgreSQL's own text of the value: no value is
 * read as a number, and what comes back by a cast is what was there.
 */
export function rowImage({ columns }: Pick<TableShape, 'columns'>): string {
  const names = columns.map(({ name }) => quoteText(name)).join(', ');
  const values = columns.map(({ name }) => `t.${quoteName(name)}::text`).join(', ');
  return `jsonb_object(array[${names}]::text[], array[${values}]::text[])`;
}

/**
 * How a row is named: its primary key as one text, `17` or `(17,x/y)`; without a key its whole row. `t.*` is
 * the row also where a column is called t.
 */
export function keyText({ key }: Pick<TableShape, 'key'>): string {
  if (key.length === 0) return '(t.*)::text';
  const [first] = key;
  if (key.length === 1) return `t.${quoteName(first!.name)}::text`;
  return `row(${key.map(({ name }) => `t.${quoteName(name)}`).join(', ')})::text`;
}

/**
 * Rows of the table aliased `t` that have one of these keys, read by the key's index. `lists` are SQL for one
 * `text[]` a column of the key.
 */
export function keyIsAmong({ key }: Pick<TableShape, 'key'>, lists: readonly string[]): string {
  const names = key.map(({ name }) => `t.${quoteName(name)}`);
  const [first] = key;
  // An array of arrays is one array to PostgreSQL, so such a key is compared like one of several columns.
  if (key.length === 1 && !first!.type.endsWith(']'))
    return `${names[0]} = any (${lists[0]}::${first!.type}[])`;
  const columns = key.map(({ type }, at) => `k${at}::${type}`).join(', ');
  const aliases = key.map((_, at) => `k${at}`).join(', ');
  return `(${names.join(', ')}) in (select ${columns} from unnest(${lists.join(', ')}) as found (${aliases}))`;
}
