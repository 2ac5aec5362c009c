// Migrating beside live traffic: short lock timeouts, jittered pauses, blockers named. For every tool the
// same.
import { fail } from '../../src/core/failures.ts';
import { FENCED_STATE } from '../../src/io/fence.ts';
import type { Work } from '../frame/step-context.ts';
import type { UpgradeOptions } from './migrator.ts';
import { CANCELED, LOCK_NOT_AVAILABLE, type Watched, watched } from './watched.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/**
 * One JSON list of `{relation, mode}`: what the asking session holds on tables and views of the application.
 */
export const HELD_LOCKS_JSON = `select coalesce(json_agg(distinct jsonb_build_object('relation', n.nspname || '.' || c.relname,
  'mode', l.mode)), '[]')
  from pg_locks l join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace
  where l.pid = pg_backend_pid() and l.granted and c.relkind in ('r', 'p', 'v', 'm') and n.nspname !~ '^pg_'
  and n.nspname <> 'information_schema'`;

/** Why a migration did not go through. */
export interface MigrationFailure {
  /** Which of several, where a command runs several. */
  readonly name?: string;
  /** SQLSTATE, where the server said one. */
  readonly state: string;
  readonly lines: readonly string[];
}

export interface Through {
  /** Of the try that went through, in ms. */
  readonly tookMs: number;
  /** For a line: how many tries it took and for whom it waited; empty when it went through at once. */
  readonly waited: string;
  /** Who was in the way of the try that went through: where it came only part of the way, of what is left. */
  readonly blockers: ReadonlySet<string>;
}

/** What a command that came part of the way has tried already of what is left. */
export interface Tried {
  readonly tries: number;
  readonly blockers: ReadonlySet<string>;
}

/**
 * Tries with a short lock timeout and jittered pauses, so that live traffic never waits longer than one try.
 * @throws StepFailure LOCK_NOT_GIVEN naming the blockers, MIGRATION_FAILED with the SQLSTATE, FENCED.
 */
export async function tryForLocks(
  work: Work,
  url: string,
  name: string,
  settings: UpgradeOptions,
  migrate: (watch: Watched) => Promise<MigrationFailure | null>,
  before: Tried = { tries: 0, blockers: new Set() },
): Promise<Through> {
  const deadline = performance.now() + settings.giveUpAfterMs;
  /** In the way of the tries that failed. */
  const blockers = new Set(before.blockers);
  let pause = FIRST_PAUSE_MS;
  const names = () => [...blockers].join('; ') || 'a lock';
  for (let tries = before.tries + 1; ; tries += 1) {
    await settings.recheck?.();
    const started = performance.now();
    const { failure, watch } = await watched(work, url, settings, async (watching) => ({
      failure: await migrate(watching),
      watch: watching,
    }));
    if (failure === null)
      return {
        tookMs: Math.round(performance.now() - started),
        waited: tries > 1 ? ` at try ${tries}; waited for ${names()}` : '',
        blockers: watch.blockers,
      };
    for (const who of watch.blockers) blockers.add(who);
    const failed = failure.name ?? name;
    if (failure.state === FENCED_STATE) fail('FENCED', `a later attempt has taken over before ${failed}`);
    if (failure.state !== LOCK_NOT_AVAILABLE)
      fail('MIGRATION_FAILED', `${failed} failed with SQLSTATE ${failure.state}`, [
        ...failure.lines,
        ...(failure.state === CANCELED ? watch.whyEnded() : []),
      ]);
    if (performance.now() > deadline)
      fail(
        'LOCK_NOT_GIVEN',
        `${name} did not get its lock in ${tries} tries of ${settings.lockTimeoutMs} ms`,
        [...blockers, ...watch.whyEnded()],
      );
    work.progress(`${name}: try ${tries}, waiting for ${names()}`);
    await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    work.signal.throwIfAborted();
  }
}
