// What is asked before a rollout opens: the window is open, notice was given long enough before. Asked for
// waiting, and again by `openRollout`.
import type { BeforeDeployingInput } from '../../src/core/activities.ts';
import { fail } from '../../src/core/failures.ts';
import { type Entry, entryInto } from '../../src/io/window.ts';
import type { WorkerContext } from '../frame/step-context.ts';

/** Whether the environment may be entered now, by this worker's clock; else when. */
export async function beforeDeploying(
  { permitStore }: WorkerContext,
  { deployment, facts, noticeBy, window }: BeforeDeployingInput,
): Promise<Entry> {
  if (facts.length === 0) return { open: true, waitMs: 0, why: 'nothing to check before deploying' };
  if (!window) return { open: false, waitMs: null, why: 'the environment has no window' };
  const noticeAt = await permitStore.noticeGiven(deployment, noticeBy);
  try {
    return entryInto(window, facts, noticeAt === undefined ? null : Date.parse(noticeAt), Date.now());
  } catch (error) {
    fail('PERMIT_REFUSED', (error as Error).message);
  }
}

/** @throws StepFailure OUTSIDE_WINDOW before any command has run. */
export async function refuseOutside(world: WorkerContext, input: BeforeDeployingInput): Promise<void> {
  const { open, why } = await beforeDeploying(world, input);
  if (!open) fail('OUTSIDE_WINDOW', why);
}
