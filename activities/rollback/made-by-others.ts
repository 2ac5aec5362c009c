// Objects that others have made or set since the backup, asked of the catalog's own rows: who wrote them last.
import type { Difference, Snapshot } from '../../src/core/snapshot.ts';
import { type Session, withSession } from '../../src/io/postgres.ts';
import { OURS } from '../../src/io/snapshot.ts';
import { provenBackup } from '../backup/backup.ts';
import type { Work } from '../frame/step-context.ts';
import { writerOf } from './row-writers.ts';

export interface MadeByOthers {
  /** Tables that others have made since the backup, with their indexes, `schema.name`. */
  readonly relations: ReadonlySet<string>;
  /** Whether the difference is theirs alone. */
  explains(difference: Difference): boolean;
}

/**
 * A table that is new, and a setting, owner or limit of the database, are others' only where their rows in the
 * catalog say so; where such a row is gone, nobody can be asked, and the difference counts as this rollout's.
 */
export async function madeByOthers(work: Work, recorded: Snapshot): Promise<MadeByOthers> {
  const seen = (await provenBackup(work))?.seen;
  if (seen === undefined) return { relations: new Set(), explains: () => false };
  return withSession(work.url, work.tag, async (session) => {
    const writer = await writerOf(session, work, null, seen);
    const relations = await newTables(session, writer, recorded);
    const around = await aroundDatabase(session, writer);
    return {
      relations,
      explains: ({ object, was }) =>
        object.startsWith('database ')
          ? around.has(settingsOf(object))
          : was === null && object.split(' ').some((word) => isOf(word, relations)),
    };
  });
}

/** `public.t` or `public.t.column`. */
const isOf = (word: string, relations: ReadonlySet<string>): boolean =>
  relations.has(word) || relations.has(word.slice(0, word.lastIndexOf('.')));

async function newTables(
  session: Session,
  writer: string,
  { catalog }: Snapshot,
): Promise<ReadonlySet<string>> {
  const rows = await session.query<{ table: string; names: string[] }>(
    `select n.nspname || '.' || t.relname as table, array_cat(array[n.nspname || '.' || t.relname],
        (select array_agg(m.nspname || '.' || i.relname) from pg_index x join pg_class i on i.oid = x.indexrelid
          join pg_namespace m on m.oid = i.relnamespace where x.indrelid = t.oid))::text[] as names
      from pg_class t join pg_namespace n on n.oid = t.relnamespace
      where ${OURS} and t.relkind in ('r', 'p') and ${writer} = 'other'`,
  );
  return new Set(rows.filter(({ table }) => !(`table ${table}` in catalog)).flatMap(({ names }) => names));
}

/** Whose row in the catalog a difference around the database stands in: the database's, its comment's, a role's. */
const settingsOf = (object: string): string => {
  if (object === 'database comment') return 'comment';
  const setting = /^database setting \S+(?: of (.*))?$/u.exec(object);
  return setting ? `settings of ${setting[1] ?? ''}` : 'database';
};

async function aroundDatabase(session: Session, writer: string): Promise<ReadonlySet<string>> {
  const here = '(select oid from pg_database where datname = current_database())';
  const rows = await session.query<{ place: string }>(
    `select 'database' as place from pg_database t where datname = current_database() and ${writer} = 'other'
     union all select 'comment' from pg_shdescription t
       where classoid = 'pg_database'::regclass and objoid = ${here} and ${writer} = 'other'
     union all select 'settings of ' || case when setrole = 0 then '' else pg_get_userbyid(setrole) end
       from pg_db_role_setting t where setdatabase = ${here} and ${writer} = 'other'`,
  );
  return new Set(rows.map(({ place }) => place));
}
