// The last activity of a rollout: how things are now is recorded, scratch databases and fence are taken away,
// the permit dies.
import { log } from '@temporalio/activity';
import { sameJson } from '../../src/core/canonical.ts';
import type { Latencies } from '../../src/core/evidence-delta.ts';
import type { RolloutRef } from '../../src/core/ids.ts';
import type { ClosingStatement, SignedStatement } from '../../src/core/statements.ts';
import type { StepList } from '../../src/core/step-list.ts';
import { closeAndState, statedClosing } from './state.ts';
import { lowerFence } from '../../src/io/fence.ts';
import { get } from '../../src/io/http.ts';
import { withSession } from '../../src/io/postgres.ts';
import { resolveSecret } from '../../src/io/settings.ts';
import { readDatabase } from '../database/read-database.ts';
import { PROOF_NOTE } from '../frame/under-lock.ts';
import { httpBaseline, measure } from '../observe/baseline.ts';
import { lookOnce } from '../observe/observe.ts';
import type { PermittedRollout } from '../../src/io/permit-store.ts';
import { removeOldBackups } from '../backup/backup-retention.ts';
import { dropImageTables } from '../data/image-table.ts';
import { dropScratches } from '../backup/scratch.ts';
import {
  fromItsRollout,
  openWork,
  outsideAddress,
  serviceSettings,
  type Work,
  type WorkerContext,
} from '../frame/step-context.ts';

const SAMPLES = 50;
const FRESH_MS = 600_000;

export async function closeRollout(
  world: WorkerContext,
  { rollout, outcome }: { readonly rollout: RolloutRef; readonly outcome: string },
): Promise<SignedStatement<ClosingStatement> | null> {
  fromItsRollout(rollout);
  const kept = await world.permitStore.rollout(rollout);
  if (kept === undefined || !sameJson(kept.rollout, rollout)) return null;
  if ((await world.permitStore.closed(rollout)) !== undefined) return statedClosing(world, kept);
  const last = kept.list.steps.at(-1);
  const work = last ? await openWork(world, rollout, last) : null;
  if (work && outcome === 'passed') await judgeAnew(work, kept);
  const end = await world.record.end(kept, outcome);
  if (work) await recordAfter(work, end);
  await clearDatabase(world, rollout, kept.list).catch(async (error: unknown) => {
    // Never proven means never changed: a database that nobody can reach keeps no rollout open that has left
    // nothing in it.
    if ((await world.permitStore.note(rollout, PROOF_NOTE)) !== undefined) throw error;
  });
  const closing = await closeAndState(world, kept, end);
  // Closed is closed: what could not be removed now is removed when the next rollout closes.
  await removeOldBackups(world, kept).catch((error: Error) =>
    log.warn(`old backups were not removed: ${error.message}`),
  );
  return closing;
}

/** What is closed as passed was judged lately: a soak that was paused, or whose worker was away, is read once more. */
async function judgeAnew(work: Work, kept: PermittedRollout): Promise<void> {
  const { observation } = await work.world.record.stated(kept);
  if (observation && Date.now() - observation.at > FRESH_MS) await lookOnce(work, kept);
}

async function clearDatabase(world: WorkerContext, rollout: RolloutRef, list: StepList): Promise<void> {
  const url = await resolveSecret(serviceSettings(world, rollout.service).database);
  await dropScratches(url, rollout, list);
  await withSession(url, `sg:${rollout.hash}:close`, async (session) => {
    await dropImageTables(session, rollout);
    await lowerFence(session, rollout);
  });
}

/** Held against what the baseline step recorded; where there was none there is nothing to compare with. */
async function recordAfter(work: Work, outcome: string): Promise<void> {
  const baseline = await httpBaseline(work);
  if (baseline === undefined) return;
  // After a rollback the comparison has recorded it, before anybody wrote again.
  if (outcome === 'passed') await work.record('after', 'database.json', await readDatabase(work));
  const now: Record<string, Latencies[string]> = {};
  for (const path of Object.keys(baseline)) {
    const first = await get(new URL(path, outsideAddress(work)).href);
    now[path] =
      first.status === null ? { mean: null, p95: null, failed: 1 } : await measure(work, path, SAMPLES);
  }
  if (Object.keys(now).length > 0) await work.record('after', 'http.json', now);
}
