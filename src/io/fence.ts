// The fence row on the target (rule 4): one open rollout for each database, and one holder within it.
// Made after the proof of the backup; schema `soakgate` is left out of every comparison.
import { fail } from '../core/failures.ts';
import type { RolloutRef } from '../core/ids.ts';
import { quoteText, type Session, serverError } from './postgres.ts';

const CREATE = `create schema if not exists soakgate;
create table if not exists soakgate.fence (
  rollout text primary key, deployment text not null, service text not null, environment text not null,
  holder text not null, opened timestamptz not null default now(), closed timestamptz);
create unique index if not exists fence_one_open on soakgate.fence ((true)) where closed is null;`;

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

/** A statement that ends the transaction around it unless this attempt still holds the fence. */
export function fenceGuard(rollout: RolloutRef, tag: string): string {
  return `do $soakgate$ begin
    perform 1 from soakgate.fence
      where rollout = ${quoteText(rollout.hash)} and holder = ${quoteText(tag)} and closed is null for share;
    if not found then
      raise exception 'soakgate: a later attempt has taken over' using errcode = '${FENCED_STATE}';
    end if;
  end $soakgate$`;
}
