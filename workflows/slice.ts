// One slice of an observation, and the pause after one that failed.
import { CancelledFailure } from '@temporalio/common';
import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import { sliceMs } from '../src/core/slice.ts';
import { type Breach, type ObserveResult, type SoakState, summarise } from '../src/core/soak.ts';
import { type Called, observeActivities } from './activities.ts';
import { backoffMs } from './persist.ts';
import { type RolloutState, setWaiting } from './rollout-state.ts';
import { runUntil } from './run-until.ts';

/** What is known of one soak or watch. */
export interface Watched {
  readonly phase: 'soak' | 'watch';
  soak: SoakState;
  slices: number;
  /** Slices in a row that failed. */
  failures: number;
  /**
   * Came while people were asked about something else, and is asked about after it, though it may be over by
   * then.
   */
  later: Breach[];
}

/**
 * `checkNow`, `close` and `pause` end a slice early, and so does `over`; it returns what it has. @throws
 * CancelledFailure when the way forward is left.
 */
export async function observeSlice(
  state: RolloutState,
  watched: Watched,
  asking?: { readonly over: () => boolean },
): Promise<Called<ObserveResult>> {
  const { list, rollout } = state.input.run;
  const forward = CancellationScope.current();
  const { phase, soak, slices } = watched;
  const { stirred } = state.inbox;
  watched.slices += 1;
  const input = { rollout, phase, sliceMs: sliceMs(list, phase, slices), state: soak };
  try {
    const result = await runUntil(
      () => state.inbox.stirred !== stirred || asking?.over() === true,
      () =>
        observeActivities(rollout.environment, `${phase}, slice ${slices + 1}`, state.input.timing).observe({
          ...input,
          ...(asking && { asking: true }),
        }),
    );
    // A slice that was cancelled hands back what it has; the way forward is over all the same.
    if (forward.consideredCancelled) throw new CancelledFailure('the way forward was left');
    return result;
  } catch (error) {
    // Interrupted before a worker had taken it: nothing was read, and nothing is wrong.
    if (!isCancellation(error) || forward.consideredCancelled) throw error;
    return { ok: { state: soak, breaches: [], metrics: 0, summary: summarise(soak), verdict: null } };
  }
}

/** Takes over what a slice has read. */
export function takeSlice(state: RolloutState, watched: Watched, result: ObserveResult): void {
  if (watched.failures > 0) state.progress.health = 'good';
  watched.failures = 0;
  // Whether it has passed is known here: where a breach has ended that, the deployment is still to be told.
  watched.soak = { ...result.state, passed: watched.soak.passed };
  state.soak = result.summary.join('\n');
  state.progress.metrics = result.summary;
}

/** Also while people are asked: `stirred` and `over` end the wait. */
export async function waitAfterFailure(
  state: RolloutState,
  watched: Watched,
  why: string,
  over: () => boolean = () => false,
): Promise<void> {
  const { stirred } = state.inbox;
  const what = 'reading the monitors';
  const { waiting } = state.progress;
  if (waiting.length === 0)
    setWaiting(state, { kind: 'failing', environment: state.input.run.rollout.environment, what, why });
  await condition(
    () => state.inbox.stirred !== stirred || over(),
    backoffMs(state.asker, Math.max(1, watched.failures)),
    {
      summary: `again: ${what}`,
    },
  );
  if (waiting.length === 0) setWaiting(state, null);
}
