// Whatever writes to the target: proof of a backup first, then the target lock, then the fence (rules 2 and
// 4).
import { fail } from '../../src/core/failures.ts';
import { raiseFence } from '../../src/io/fence.ts';
import { withSession } from '../../src/io/postgres.ts';
import { type TargetLock, takeTargetLock } from '../../src/io/target-lock.ts';
import type { Work } from './step-context.ts';

/** Written by the backup step into the permit store; without it nothing may change the database (rule 2). */
export const PROOF_NOTE = 'backup-proven.json';

/** Whether a backup of this rollout has been proven. */
export const isProven = async (work: Work): Promise<boolean> =>
  (await work.world.permitStore.note(work.rollout, PROOF_NOTE)) !== undefined;

/** Acts as the only one that writes. */
export async function underLock<T>(work: Work, act: (lock: TargetLock) => Promise<T>): Promise<T> {
  if (!(await isProven(work))) {
    fail(
      'BACKUP_MISSING',
      `step "${work.step.name}" changes the database, but no backup of this rollout has been proven`,
    );
  }
  const lock = await takeTargetLock({
    url: work.url,
    rollout: work.rollout,
    tag: work.tag,
    processNotes: work.world.permitStore.processNotes(work.rollout),
  });
  try {
    if (lock.evicted.length > 0)
      await work.log(`ended what an earlier attempt left: ${lock.evicted.join(', ')}`);
    await withSession(work.url, work.tag, (session) => raiseFence(session, work.rollout, work.tag));
    await lock.recheck();
    return await act(lock);
  } finally {
    await lock.release();
  }
}
