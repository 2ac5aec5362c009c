// Where a fix writes its before-images: a table of ours in the target, in the transaction of the change
// itself, so that neither can be there without the other.
import { fenceGuard } from '../../src/io/fence.ts';
import type { RolloutRef } from '../../src/core/ids.ts';
import { quoteName, type Session } from '../../src/io/postgres.ts';
import type { Work } from '../frame/step-context.ts';

/**
 * The columns: `place` and `part` name the table and the partition, `before` and `after` hold row images as JSON;
 * `key_after` where the fix changed the key itself.
 */
const COLUMNS = `(id bigint generated always as identity primary key, place text not null, part text,
  rule text not null, key text not null, key_after text, before text, after text)`;

const prefix = (rollout: RolloutRef): string => `images_${rollout.hash}_`;
/** One for each rollout and step: what an earlier deployment left is never taken for this one's. */
export const imageTable = ({ rollout, step }: Pick<Work, 'rollout' | 'step'>): string =>
  `soakgate.${prefix(rollout)}${step.index}`;

/** Makes it where it is not; what an earlier attempt has written stays. */
export async function ensureImageTable(session: Session, work: Work): Promise<void> {
  if (await isThere(session, imageTable(work))) return;
  await session.query('begin');
  try {
    await session.query(fenceGuard(work.rollout, work.tag));
    await session.query(`create table if not exists ${imageTable(work)} ${COLUMNS}`);
    await session.query('commit');
  } finally {
    await session.query('rollback').catch(() => undefined);
  }
}

export async function isThere(session: Session, table: string): Promise<boolean> {
  const [row] = await session.query<{ ok: boolean }>('select to_regclass($1) is not null as ok', [table]);
  return row?.ok === true;
}

/** Takes a closed rollout's images out of the target; the artifacts keep them. */
export async function dropImageTables(session: Session, rollout: RolloutRef): Promise<void> {
  const tables = await session.query<{ name: string }>(
    `select relname as name from pg_catalog.pg_class
      where relnamespace = to_regnamespace('soakgate') and relkind = 'r' and starts_with(relname, $1)`,
    [prefix(rollout)],
  );
  for (const { name } of tables) await session.query(`drop table soakgate.${quoteName(name)}`);
}
