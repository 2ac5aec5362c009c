// What SQL says of a database's content and surroundings. All in the session's transaction, so that it can be
// the very snapshot that is dumped.
import type { Snapshot, TableMark } from '../core/snapshot.ts';
import { quoteTable, type Session } from './postgres.ts';

/** What a person has made, by its schema `n`. */
export const OURS = "n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'soakgate')";

/** A name with a dot or a quote in it is quoted, so that a qualified one can be taken apart again. */
const plain = (name: string): string =>
  `case when ${name} ~ '[."]' then quote_ident(${name}) else ${name} end`;

/**
 * What pg_dump leaves out of a database, as objects. `database …` is what lies around it, and no copy has;
 * versions of extensions and subscriptions are in no dump either.
 */
export async function readSurroundings(session: Session): Promise<Readonly<Record<string, string>>> {
  const [row] = await session.query<{ all: Record<string, string> }>(
    `select coalesce(json_object_agg(id, def), '{}') as all from (${SURROUNDINGS}) x where def is not null`,
  );
  return row?.all ?? {};
}

/** Tables that inherit their columns and are no partitions: a restore puts these in another order. */
const HEIRS = `select distinct i.inhrelid as oid from pg_inherits i join pg_class p on p.oid = i.inhrelid
  where p.relkind = 'r' and not p.relispartition`;

/** Read from the row as JSON, because each major has other columns. */
const DATABASE = `(select to_jsonb(d) as d from pg_database d where datname = current_database())`;
const SURROUNDINGS = `
  select 'encoding and locale' as id, concat_ws(' ', pg_encoding_to_char((d->>'encoding')::int),
      case d->>'datlocprovider' when 'i' then 'icu' when 'b' then 'builtin' else 'libc' end, d->>'datcollate',
      d->>'datctype', coalesce(d->>'datlocale', d->>'daticulocale'), d->>'daticurules') as def
    from ${DATABASE} x
  union all select 'database owner', pg_get_userbyid((d->>'datdba')::oid) from ${DATABASE} x
  union all select 'database connection limit', d->>'datconnlimit' from ${DATABASE} x
  union all select 'database as a template', 'others may copy it' from ${DATABASE} x
    where (d->>'datistemplate')::bool
  union all select 'database tablespace', (select spcname from pg_tablespace t
      where t.oid = (d->>'dattablespace')::oid) from ${DATABASE} x
  union all select 'existence of schema public', 'there' from pg_namespace where nspname = 'public'
  union all select 'order of columns of ' || n.nspname || '.' || c.relname,
      string_agg(quote_ident(a.attname), ', ' order by a.attnum) from (${HEIRS}) h
    join pg_class c on c.oid = h.oid join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where ${OURS} group by n.nspname, c.relname
  union all select 'database grants', (select string_agg(a::text, ', ' order by a::text)
      from unnest(coalesce(datacl, acldefault('d', datdba))) a)
    from pg_database where datname = current_database()
  union all select 'database comment', shobj_description(oid, 'pg_database')
    from pg_database where datname = current_database()
  union all select 'database setting ' || split_part(c, '=', 1) ||
      case when setrole = 0 then '' else ' of ' || pg_get_userbyid(setrole) end, c
    from pg_db_role_setting, unnest(setconfig) c
    where setdatabase = (select oid from pg_database where datname = current_database())
  union all select 'grants on large objects and their owners', md5(string_agg(concat_ws(' ', oid,
      pg_get_userbyid(lomowner), (select string_agg(a::text, ',' order by a::text)
        from unnest(coalesce(lomacl, acldefault('L', lomowner))) a)), ';' order by oid))
    from pg_largeobject_metadata
  union all select 'version of extension ' || extname, extversion from pg_extension
  union all select 'subscription ' || subname, concat_ws(' ', pg_get_userbyid(subowner), subenabled, subslotname,
      subpublications) from pg_subscription
    where subdbid = (select oid from pg_database where datname = current_database())
  union all select 'invalid index ' || i.indexrelid::regclass, pg_get_indexdef(i.indexrelid)
    from pg_index i where not i.indisvalid and not exists (select from pg_class c
      where c.oid = i.indexrelid and c.relkind = 'I')`;

/** Rows of each table and large objects, as far as they can be read; `onTable` is called before each. */
export async function readContent(
  session: Session,
  onTable: (table: string) => void = () => undefined,
): Promise<Snapshot['content']> {
  const content: Record<string, { rows: number; hash: string }> = {};
  const byName = await rowsByName(session);
  for (const table of await listTables(session)) {
    onTable(table);
    content[table] = await hashRows(session, quoteTable(table), byName.get(table) ?? WHOLE_ROW);
  }
  const [some] = await session.query('select from pg_largeobject_metadata limit 1');
  if (some) {
    onTable(LARGE_OBJECTS);
    content[LARGE_OBJECTS] = await hashRows(session, 'pg_largeobject_metadata', LARGE_OBJECT);
  }
  return content;
}

const WHOLE_ROW = '(t.*)::text';

/** Table → its row as text, the columns in the order of their names, where a copy may have them in another one. */
async function rowsByName(session: Session): Promise<ReadonlyMap<string, string>> {
  const rows = await session.query<{ id: string; row: string }>(
    `select ${plain('n.nspname')} || '.' || ${plain('c.relname')} as id,
      'row(' || string_agg('t.' || quote_ident(a.attname), ', ' order by a.attname collate "C") || ')::text' as row
      from (${HEIRS}) h join pg_class c on c.oid = h.oid join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped group by 1`,
  );
  return new Map(rows.map(({ id, row }) => [id, row]));
}

/** Named like a table where content is compared. */
const LARGE_OBJECTS = 'large objects';
const LARGE_OBJECT = `concat_ws(' ', t.oid, md5(lo_get(t.oid)))`;

/** Ordinary tables, and so partition by partition; a name with a dot or a quote in it is quoted. */
export async function listTables(session: Session): Promise<readonly string[]> {
  const rows = await session.query<{ id: string }>(
    `select ${plain('n.nspname')} || '.' || ${plain('c.relname')} as id from pg_class c join pg_namespace n
      on n.oid = c.relnamespace where ${OURS} and c.relkind = 'r' and not exists (select from pg_depend d
        where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
        and not c.oid = any (select unnest(e.extconfig) from pg_extension e)) order by 1`,
  );
  return rows.map((row) => row.id);
}

export async function readTableMarks(session: Session): Promise<Readonly<Record<string, TableMark>>> {
  const rows = await session.query<TableMark & { id: string }>(
    `select ${plain('n.nspname')} || '.' || ${plain('c.relname')} as id, c.relnatts::int as columns,
      pg_relation_filenode(c.oid)::text as file from pg_class c
      join pg_namespace n on n.oid = c.relnamespace where ${OURS} and c.relkind = 'r'`,
  );
  return Object.fromEntries(rows.map(({ id, columns, file }) => [id, { columns, file }]));
}

/** The hash of one row by its text, 64 bits; what `hashRows` sums. */
export const rowHash = (text: string): string => `hashtextextended(${text}, 0)`;

/**
 * Rows and a hash that does not depend on their order: the sum of the hashes of all, modulo 2^64. One sum of one
 * expression, so that the row's text is written once and the server's workers can share the pass.
 */
async function hashRows(
  session: Session,
  from: string,
  text: string,
): Promise<{ rows: number; hash: string }> {
  const [row] = await session.query<{ n: string; sum: string }>(
    `select count(*) as n, coalesce(sum(${rowHash(text)}), 0)::text as sum from only ${from} t`,
  );
  const hash = BigInt.asUintN(64, BigInt(row?.sum ?? '0'))
    .toString(16)
    .padStart(16, '0');
  return { rows: Number(row?.n ?? 0), hash };
}

/** What holds rows that neither a dump nor a comparison of it has, a line each. */
export async function readUncompared(session: Session): Promise<readonly string[]> {
  const rows = await session.query<{ line: string }>(
    `select case
        when c.relkind = 'm' then 'not compared: rows of the materialized view ' || n.nspname || '.' || c.relname ||
          '; a restore fills it anew'
        when c.relkind = 'f' then 'not compared: rows of the foreign table ' || n.nspname || '.' || c.relname ||
          '; they lie elsewhere'
        else 'not in the dump: rows of ' || n.nspname || '.' || c.relname || ', which belongs to extension ' || e.extname
      end as line
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
      left join pg_extension e on e.oid = d.refobjid
      where ${OURS} and (c.relkind in ('m', 'f') or c.relkind = 'r' and e.oid is not null
        and not c.oid = any (coalesce(e.extconfig, '{}')) and (pg_relation_size(c.oid) > 0)) order by 1`,
  );
  return rows.map(({ line }) => line);
}

/** Last values; they lie outside transactions, so two looks may differ under live writes. */
export async function readSequences(session: Session): Promise<Record<string, string>> {
  const rows = await session.query<{ id: string; last: string | null }>(
    `select schemaname || '.' || sequencename as id, coalesce(last_value, 0)::text as last
      from pg_sequences where schemaname <> 'soakgate' order by 1`,
  );
  return Object.fromEntries(rows.map((row) => [row.id, row.last ?? '0']));
}

/** Inserts, updates and deletes that each table has seen since its statistics began. */
export async function readWrites(session: Session): Promise<Readonly<Record<string, number>>> {
  const rows = await session.query<{ id: string; n: string }>(
    `select schemaname || '.' || relname as id, (n_tup_ins + n_tup_upd + n_tup_del)::text as n
      from pg_stat_user_tables where schemaname <> 'soakgate'`,
  );
  return Object.fromEntries(rows.map((row) => [row.id, Number(row.n)]));
}
