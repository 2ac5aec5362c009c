// Who wrote a row that differs from the backup, asked of the row itself: its transaction (xmin) against the
// transactions that the dump has seen and those of this rollout. Statistics are not asked: a crash or a reset
// begins them anew.
import { quoteText, type Session } from '../../src/io/postgres.ts';
import { isThere } from '../data/image-table.ts';
import type { Work } from '../frame/step-context.ts';

/**
 * `other`: a transaction that is not ours, since the backup; `own`: one of ours; `either`: nobody can tell,
 * because one of ours wrote to the table meanwhile; `nobody`: the row is as old as the backup.
 */
export type Writer = 'other' | 'own' | 'either' | 'nobody';

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

/** An SQL expression for the writer of the row aliased `t`, in the database of the session. */
export async function writerOf(
  session: Session,
  work: Pick<Work, 'rollout'>,
  table: string,
  seen: string,
): Promise<string> {
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
        and own.wrote ? ${quoteText(table)}) then 'either'`
    : '';
  return `(select case
      when t.xmin::text::bigint < 3 or pg_visible_in_snapshot(x.id, ${quoteText(seen)}::pg_snapshot) then 'nobody'
      ${ours} else 'other' end
    from ${now}, lateral (select ${id} as id) x)`;
}

/** Whose it may be that rows of the table are gone. */
export async function removerOf(
  session: Session,
  work: Pick<Work, 'rollout'>,
  table: string,
): Promise<'other' | 'either'> {
  if (!(await isThere(session, OWN))) return 'other';
  const [row] = await session.query(
    `select from ${OWN} where rollout = $1
      and (wrote -> $2 ->> 2)::bigint > coalesce((began -> $2 ->> 2)::bigint, 0) limit 1`,
    [work.rollout.hash, table],
  );
  return row ? 'either' : 'other';
}

/** How a difference is told, by whoever made it. */
export const toldBy: Readonly<Record<Writer, string>> = {
  other: 'by the application since the backup',
  own: 'by this rollout, and not put back',
  either: 'while this rollout wrote to the table, by it or by the application',
  nobody: 'by the rollback: nobody has written the row since the backup',
};
