// Tables that a migration writes anew: nobody reads or writes them meanwhile, so outside maintenance that is
// an outage.
import { withSession } from '../../src/io/postgres.ts';
import type { Work } from '../frame/step-context.ts';

type Files = ReadonlyMap<string, { readonly file: string; readonly rows: number; readonly bytes: number }>;

/** The file of each table, which changes when it is written anew. */
export async function tableFiles(work: Work, url: string): Promise<Files> {
  const rows = await withSession(url, work.tag, (session) =>
    session.query<{ id: string; file: string; rows: string; bytes: string }>(
      `select c.oid::text || ' ' || n.nspname || '.' || c.relname as id,
        pg_relation_filenode(c.oid)::text as file, greatest(c.reltuples, 0)::bigint::text as rows,
         pg_relation_size(c.oid)::text as bytes
       from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'm')
       and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'soakgate')`,
    ),
  );
  return new Map(
    rows.map(({ id, file, rows: count, bytes }) => [id, { file, rows: Number(count), bytes: Number(bytes) }]),
  );
}

/** Whether the migration runs between `maintenance: enter` and `leave`. */
export function migratesInMaintenance({ list }: Pick<Work, 'list'>): boolean {
  const kinds = list.steps.map((step) => step.kind);
  const before = kinds.slice(0, kinds.indexOf('migrate') + 1);
  return before.lastIndexOf('enterMaintenance') > before.lastIndexOf('leaveMaintenance');
}

/** One line for each table with rows that has been written anew. */
export function rewritten(before: Files, after: Files): readonly string[] {
  return [...before].flatMap(([id, was]) => {
    const is = after.get(id);
    return is && is.file !== was.file && was.bytes > 0
      ? [
          `${id.split(' ')[1]} is written anew (${Math.ceil(was.bytes / 1024)} KiB): nobody reads or ` +
            'writes it meanwhile',
        ]
      : [];
  });
}
