// Reads a database as a Snapshot. All in the session's transaction, so that it can be the very snapshot that
// is dumped.
import type { Snapshot } from '../core/snapshot.ts';
import { quoteTable, type Session } from './postgres.ts';

const OURS = "n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'soakgate')";

/** One query for each kind of object: identity and definition. Order within is by identity. */
const catalogQueries: Readonly<Record<string, string>> = {
  schema: `select n.nspname as id, pg_get_userbyid(n.nspowner) || ' ' || coalesce(n.nspacl::text, '') as
    def from pg_namespace n where ${OURS}`,
  relation: `select n.nspname || '.' || c.relname as id,
      c.relkind::text || ' ' || c.relpersistence::text || ' ' || pg_get_userbyid(c.relowner) || ' ' ||
      coalesce((select array_agg(a order by a) from unnest(c.relacl::text[]) a)::text, '')
      || coalesce(' ' || c.reloptions::text, '') || ' ' || c.relrowsecurity as def
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${OURS}
    and c.relkind in ('r','p','v','m','S','f')`,
  column: `select n.nspname || '.' || c.relname || '.' || a.attname as id,
      format_type(a.atttypid, a.atttypmod) || case when a.attnotnull then ' not null' else '' end
      || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') || coalesce(' acl ' || a.attacl::text,
      '') || coalesce(' identity ' || nullif(a.attidentity::text, ''), '') as def
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
      left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where ${OURS} and a.attnum > 0 and not a.attisdropped and c.relkind in ('r','p','v','m','f')`,
  constraint: `select n.nspname || '.' || coalesce(c.relname || '.', '') || k.conname as id,
    pg_get_constraintdef(k.oid) || case when k.convalidated then '' else ' (not validated)' end as def
    from pg_constraint k join pg_namespace n on n.oid = k.connamespace left join pg_class c
    on c.oid = k.conrelid where ${OURS}`,
  index: `select n.nspname || '.' || c.relname as id, pg_get_indexdef(i.indexrelid) || case
    when i.indisvalid then '' else ' (invalid)' end as def
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
    where ${OURS}`,
  view: `select n.nspname || '.' || c.relname as id, pg_get_viewdef(c.oid) as def
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${OURS} and c.relkind in ('v','m')`,
  sequence: `select n.nspname || '.' || c.relname as id, format_type(s.seqtypid, null) || ' start ' ||
    s.seqstart || ' by ' || s.seqincrement || ' max ' || s.seqmax || case
    when s.seqcycle then ' cycle' else '' end as def
    from pg_sequence s join pg_class c on c.oid = s.seqrelid join pg_namespace n on n.oid = c.relnamespace
    where ${OURS}`,
  function: `select n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) ||
    ')' as id,
      case when p.prokind in ('f','p') then pg_get_functiondef(p.oid) else p.prokind::text end ||
      coalesce(' acl ' || p.proacl::text, '') as def
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace where ${OURS} and not exists (select
    from pg_depend d where d.objid = p.oid and d.deptype = 'e')`,
  trigger: `select n.nspname || '.' || c.relname || '.' || t.tgname as id, pg_get_triggerdef(t.oid) ||
    ' ' || t.tgenabled::text as def
    from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
    where ${OURS} and not t.tgisinternal`,
  type: `select n.nspname || '.' || t.typname as id, t.typtype::text || coalesce(' ' || (select
    string_agg(e.enumlabel, ',' order by e.enumsortorder) from pg_enum e
    where e.enumtypid = t.oid), '') as def
    from pg_type t join pg_namespace n on n.oid = t.typnamespace where ${OURS} and t.typtype in ('e','d')`,
  policy: `select n.nspname || '.' || c.relname || '.' || p.polname as id, p.polcmd::text || ' ' ||
    coalesce(pg_get_expr(p.polqual, p.polrelid), '') || ' ' || coalesce(pg_get_expr(p.polwithcheck,
    p.polrelid), '') as def
    from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
    where ${OURS}`,
  extension: `select extname as id, extversion as def from pg_extension`,
  comment: `select n.nspname || '.' || c.relname || coalesce('.' || a.attname, '') as id,
    d.description as def
    from pg_description d join pg_class c on c.oid = d.objoid and d.classoid = 'pg_class'::regclass
    join pg_namespace n on n.oid = c.relnamespace
      left join pg_attribute a on a.attrelid = c.oid and a.attnum = d.objsubid and d.objsubid > 0
      where ${OURS}`,
};

export interface SnapshotOptions {
  /** Called between tables, so that a long count can be heartbeaten and stopped. */
  readonly onTable?: (table: string) => void;
  /** Only the catalog; content and sequences stay empty. */
  readonly catalogOnly?: boolean;
}

/** Reads the whole snapshot; the session should be steady and in one REPEATABLE READ transaction. */
export async function readSnapshot(session: Session, options: SnapshotOptions = {}): Promise<Snapshot> {
  const catalog: Record<string, string> = {};
  for (const [kind, sql] of Object.entries(catalogQueries)) {
    for (const row of await session.query<{ id: string; def: string }>(sql))
      catalog[`${kind} ${row.id}`] = row.def;
  }
  if (options.catalogOnly) return { catalog, content: {}, sequences: {} };
  const content: Record<string, { rows: number; hash: string }> = {};
  for (const table of await listTables(session)) {
    options.onTable?.(table);
    content[table] = await hashTable(session, table);
  }
  return { catalog, content, sequences: await readSequences(session) };
}

/** The whole snapshot in a transaction of its own: one state, however much is written meanwhile. */
export async function readWholeSnapshot(session: Session, options: SnapshotOptions = {}): Promise<Snapshot> {
  await session.query('begin isolation level repeatable read read only');
  try {
    return await readSnapshot(session, options);
  } finally {
    await session.query('rollback').catch(() => undefined);
  }
}

/** Ordinary and partitioned tables and materialised views with rows of their own. */
export async function listTables(session: Session): Promise<readonly string[]> {
  const rows = await session.query<{ id: string }>(
    `select n.nspname || '.' || c.relname as id from pg_class c join pg_namespace n
      on n.oid = c.relnamespace where ${OURS} and c.relkind = 'r' order by 1`,
  );
  return rows.map((row) => row.id);
}

/** Rows and a hash that does not depend on their order: two sums of 64-bit hashes with different seeds. */
async function hashTable(session: Session, table: string): Promise<{ rows: number; hash: string }> {
  const rows = await session.query<{ n: string; a: string; b: string }>(
    `select count(*) as n, coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text as a,
      coalesce(sum(hashtextextended(t::text, 42)::numeric), 0)::text as b from ${quoteTable(table)} t`,
  );
  const row = rows[0];
  const toHex = (text: string) => BigInt.asUintN(64, BigInt(text)).toString(16).padStart(16, '0');
  return { rows: Number(row?.n ?? 0), hash: `${toHex(row?.a ?? '0')}${toHex(row?.b ?? '0')}` };
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
