// A forward fix: one prepared migration more; its undo is registered before it begins, and then the way goes on.
import { isCancellation } from '@temporalio/workflow';
import { forwardEntry } from '../src/core/undo.ts';
import { failureDetails, failureText } from './failure-text.ts';
import { show } from './progress.ts';
import { environmentActivities } from './activities.ts';
import type { RolloutState } from './rollout-state.ts';

/** True when it passed. Its own check is part of it: rehearsed there and back, and the catalog compared with the rehearsal. */
export async function goForward(state: RolloutState, fallback: string, why: string): Promise<boolean> {
  const { list, rollout } = state.input.run;
  const step = list.steps.find((candidate) => candidate.kind === 'migrate');
  if (!step) return note(state, `fallback ${fallback}: the plan has no migrate step`);
  state.progress.notes.push(`forward fix ${fallback}: ${why}`);
  show(state.progress, state.lastSent);
  state.stack.push(forwardEntry(step, fallback));
  state.touched = true;
  try {
    const receipt = await environmentActivities(
      rollout.environment,
      `forward fix ${fallback}`,
      state.heartbeatMs,
    ).forwardFix({ rollout, step, fallback });
    state.receipts.push(receipt);
    note(state, `${receipt.step}: ${receipt.summary}`);
    if (receipt.verdict !== 'pass') return false;
    state.forwards += 1;
    return true;
  } catch (error) {
    if (isCancellation(error)) throw error;
    state.progress.notes.push(...failureDetails(error));
    return note(state, `${fallback}: ${failureText(error)}`);
  }
}

function note(state: RolloutState, text: string): false {
  state.progress.notes.push(text);
  show(state.progress, state.lastSent);
  return false;
}
