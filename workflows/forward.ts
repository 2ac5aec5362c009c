// A forward fix: one prepared migration more; its undo is registered before it begins, and then the way goes on.
import { isCancellation } from '@temporalio/workflow';
import { forwardEntry } from '../src/core/undo.ts';
import { failureDetails, failureText } from './failure-text.ts';
import { show } from './progress.ts';
import { environmentActivities } from './proxies.ts';
import type { Stay } from './stay.ts';

/** True when it passed. Its own check is part of it: rehearsed there and back, and the catalog compared with the rehearsal. */
export async function goForward(stay: Stay, fallback: string, why: string): Promise<boolean> {
  const { list, rollout } = stay.input.run;
  const step = list.steps.find((candidate) => candidate.kind === 'migrate');
  if (!step) return note(stay, `fallback ${fallback}: the plan has no migrate step`);
  stay.progress.notes.push(`forward fix ${fallback}: ${why}`);
  show(stay.progress, stay.shown);
  stay.stack.push(forwardEntry(step, fallback));
  stay.touched = true;
  try {
    const receipt = await environmentActivities(
      rollout.environment,
      `forward fix ${fallback}`,
      stay.heartbeatMs,
    ).forwardFix({ rollout, step, fallback });
    stay.receipts.push(receipt);
    note(stay, `${receipt.step}: ${receipt.summary}`);
    if (receipt.verdict !== 'pass') return false;
    stay.forwards += 1;
    return true;
  } catch (error) {
    if (isCancellation(error)) throw error;
    stay.progress.notes.push(...failureDetails(error));
    return note(stay, `${fallback}: ${failureText(error)}`);
  }
}

function note(stay: Stay, text: string): false {
  stay.progress.notes.push(text);
  show(stay.progress, stay.shown);
  return false;
}
