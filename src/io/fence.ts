// The fence row on the target (rule 4): one open rollout for each database, and one holder within it.
// Made after the proof of the backup; schema `soakgate` is left out of every comparison.
import { fail } from '../core/failures.ts';
import type { RolloutRef } from '../core/ids.ts';
import { quoteText, type Session, serverError } from './postgres.ts';

const CREATE = `create schema if not exists soakgate;
create table if not exists soakgate.fence (
  rollout text primary key, deployment text not null, service text not null, environment text not null,
  holder text not null, opened timestamptz not null default now(), closed timestamptz);
create unique index if not exists fence_one_open on soakgate.fence ((true)) where closed is null;
create table if not exists soakgate.transactions (
  rollout text not null, xid xid8 not null, ended xid8 not null, began jsonb, wrote jsonb,
  alone boolean not null default true, ranged boolean not null default false, primary key (rollout, xid));
create table if not exists soakgate.subtransactions (rollout text not null);`;

/** SQLSTATE that our own SQL raises when another attempt has taken over. */
export const FENCED_STATE = 'SG001';

/**
 * Makes this attempt the holder.
 * @throws StepFailure ROLLOUT_OPEN when another rollout, of whatever service, is open on this database.
 */
export async function raiseFence(session: Session, rollout: RolloutRef, tag: string): Promise<void> {
  await session.query(CREATE);
  try {
    await session.query(
      `insert into soakgate.fence (rollout, deployment, service, environment, holder)
        values ($1, $2, $3, $4, $5)
       on conflict (rollout) do update set holder = excluded.holder`,
      [rollout.hash, rollout.deployment, rollout.service, rollout.environment, tag],
    );
  } catch (error) {
    if (serverError(error)?.code !== '23505') throw error;
    const open = await openRollout(session);
    fail(
      'ROLLOUT_OPEN',
      `another rollout is open on this database: ${open?.deployment ?? 'unknown'} ` +
        `(${open?.service ?? '?'} in ${open?.environment ?? '?'})`,
    );
  }
}

/** The rollout that is open on this database, if any. */
export async function openRollout(
  session: Session,
): Promise<{ rollout: string; deployment: string; service: string; environment: string } | undefined> {
  const there = await session.query<{ ok: boolean }>(
    "select to_regclass('soakgate.fence') is not null as ok",
  );
  if (!there[0]?.ok) return undefined;
  return (
    await session.query<{ rollout: string; deployment: string; service: string; environment: string }>(
      'select rollout, deployment, service, environment from soakgate.fence where closed is null',
    )
  )[0];
}

/** Closes the fence; nothing is there when the database was never changed. */
export async function lowerFence(session: Session, rollout: RolloutRef): Promise<void> {
  const there = await session.query<{ ok: boolean }>(
    "select to_regclass('soakgate.fence') is not null as ok",
  );
  if (there[0]?.ok)
    await session.query('update soakgate.fence set closed = now() where rollout = $1 and closed is null', [
      rollout.hash,
    ]);
}

/**
 * Said in a transaction of which nobody can tell how many subtransactions it has (savepoints, exception blocks):
 * ids between its own and its end may be its, too.
 */
export const markRanged = (rollout: RolloutRef): string =>
  `update soakgate.transactions set ranged = true
    where rollout = ${quoteText(rollout.hash)} and xid = pg_current_xact_id()`;

/** Said within a subtransaction: the row's own xmin is its id. */
export const noteSubtransaction = (rollout: RolloutRef): string =>
  `insert into soakgate.subtransactions (rollout) values (${quoteText(rollout.hash)})`;

/**
 * A statement that ends the transaction around it unless this attempt still holds the fence, and that notes the
 * transaction as one of this rollout. Said again at its end it notes what the transaction wrote, table →
 * rows added, changed, removed (the counters of a session go on, so `began` holds where they stood): whose a row is, is asked of its own transaction id afterwards (xmin).
 */
export function fenceGuard(rollout: RolloutRef, tag: string): string {
  return `do $soakgate$ begin
    perform 1 from soakgate.fence
      where rollout = ${quoteText(rollout.hash)} and holder = ${quoteText(tag)} and closed is null for share;
    if not found then
      raise exception 'soakgate: a later attempt has taken over' using errcode = '${FENCED_STATE}';
    end if;
    insert into soakgate.transactions as own (rollout, xid, ended, began)
      select ${quoteText(rollout.hash)}, pg_current_xact_id(), pg_snapshot_xmax(pg_current_snapshot()),
        (select jsonb_object_agg(schemaname || '.' || relname, jsonb_build_array(n_tup_ins, n_tup_upd, n_tup_del))
          from pg_catalog.pg_stat_xact_user_tables
          where schemaname <> 'soakgate' and n_tup_ins + n_tup_upd + n_tup_del > 0)
      on conflict (rollout, xid) do update set ended = excluded.ended,
        wrote = (select jsonb_object_agg(key, value) from jsonb_each(excluded.began)
          where value is distinct from own.began -> key);
  end $soakgate$`;
}
