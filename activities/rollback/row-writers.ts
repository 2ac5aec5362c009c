// Who wrote a row that differs from the backup, asked of the row itself: its transaction (xmin) against the
// transactions that the dump has seen and those of this rollout. Statistics are not asked: a crash or a reset
// begins them anew.
import { quoteTable, quoteText, type Session } from '../../src/io/postgres.ts';
import { isThere } from '../data/image-table.ts';
import type { Work } from '../frame/step-context.ts';

/**
 * `other`: a transaction that is not ours, since the backup; `own`: one of ours; `either`: nobody can tell,
 * because one of ours wrote to the table meanwhile; `nobody`: the row is as old as the backup; `both`: another
 * one, but a column that one of ours has changed or made anew, too, does not hold what it held.
 */
export type Writer = 'other' | 'own' | 'either' | 'nobody' | 'both';

export interface RowDifference {
  readonly table: string;
  readonly key: string;
  readonly how: 'added' | 'changed' | 'removed';
  /** md5 of the row's image as it is now (`rowImage`); null where it is gone. */
  readonly nowMd5: string | null;
  readonly by: Writer;
}

/** Who is asked for a row, as SQL, and who may have removed one. */
export interface Writers {
  readonly writer: string;
  readonly remover: Writer;
}

const OWN = 'soakgate.transactions';

/**
 * An SQL expression for the writer of the row aliased `t`, in the database of the session. `table` is null for a
 * row of the catalog, whose writers are not counted table by table.
 */
export async function writerOf(
  session: Session,
  work: Pick<Work, 'rollout'>,
  table: string | null,
  seen: string,
): Promise<string> {
  const wrote = table === null ? 'true' : `own.wrote ? ${quoteText(table)}`;
  const id = `((case when t.xmin::text::bigint <= (now.xid & 4294967295) then now.xid >> 32
      else (now.xid >> 32) - 1 end) << 32 | t.xmin::text::bigint)::text::xid8`;
  const now = '(select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as xid) now';
  const ours = (await isThere(session, OWN))
    ? `when exists (select from ${OWN} own where own.rollout = ${quoteText(work.rollout.hash)}
          and own.alone and own.xid = x.id)
          or exists (select from soakgate.subtransactions own
            where own.rollout = ${quoteText(work.rollout.hash)} and own.xmin::text = t.xmin::text)
        then 'own'
      when exists (select from ${OWN} own where own.rollout = ${quoteText(work.rollout.hash)}
        and (own.ranged or not own.alone) and x.id >= own.xid and x.id < own.ended
        and ${wrote}) then 'either'`
    : '';
  return `(select case
      when t.xmin::text::bigint < 3 or pg_visible_in_snapshot(x.id, ${quoteText(seen)}::pg_snapshot) then 'nobody'
      ${ours} else 'other' end
    from ${now}, lateral (select ${id} as id) x)`;
}

/**
 * Whose it may be that rows of the table are gone. `file` is the table's as it was recorded: TRUNCATE is in nobody's
 * counters, but gives the table another one, and whoever did it has written the table's row in the catalog.
 */
export async function removerOf(
  session: Session,
  work: Pick<Work, 'rollout'>,
  table: string,
  { seen, file }: { readonly seen: string; readonly file: string | undefined },
): Promise<'other' | 'either'> {
  if (!(await isThere(session, OWN))) return 'other';
  const [emptied] = await session.query(
    `select from pg_class t where oid = to_regclass($1) and pg_relation_filenode(oid)::text <> $2
      and ${await writerOf(session, work, null, seen)} <> 'other'`,
    [quoteTable(table), file ?? null],
  );
  return emptied || (await rowsWritten(session, work, table)).removed ? 'either' : 'other';
}

/** What the transactions of this rollout have done to rows of the table, by their own counters. */
export async function rowsWritten(
  session: Session,
  work: Pick<Work, 'rollout'>,
  table: string,
): Promise<{ readonly added: boolean; readonly changed: boolean; readonly removed: boolean }> {
  if (!(await isThere(session, OWN))) return { added: false, changed: false, removed: false };
  const more = (at: number) =>
    `coalesce(bool_or((wrote -> $2 ->> ${at})::bigint > coalesce((began -> $2 ->> ${at})::bigint, 0)), false)`;
  const [row] = await session.query<{ added: boolean; changed: boolean; removed: boolean }>(
    `select ${more(0)} as added, ${more(1)} as changed, ${more(2)} as removed from ${OWN} where rollout = $1`,
    [work.rollout.hash, table],
  );
  return row!;
}

/**
 * Whose a row may be that the backup does not have and that one of our transactions wrote last: where none of them
 * added rows to the table, they changed a row that the application had added.
 */
export async function adderOf(
  session: Session,
  work: Pick<Work, 'rollout'>,
  table: string,
): Promise<'other' | 'either' | 'own'> {
  const { added, changed } = await rowsWritten(session, work, table);
  if (!changed) return 'own';
  return added ? 'either' : 'other';
}

const toldBy: Readonly<Record<Writer, string>> = {
  other: 'by the application since the backup',
  own: 'by this rollout, and not put back',
  both: 'by the application, in a column that this rollout changed or made anew, too: what was recorded may be lost',
  either: 'while this rollout wrote to the table, by it or by the application',
  nobody: 'by the rollback: nobody has written the row since the backup',
};
/** Below its last version may lie one that the application wrote. */
const CHANGED_LAST = 'last by this rollout, and not as recorded; what differs may be the application’s';

/** How a difference is told, by whoever made it. */
export const told = ({ how }: Pick<RowDifference, 'how'>, by: Writer): string =>
  `${how} ${by === 'own' && how === 'changed' ? CHANGED_LAST : toldBy[by]}`;
