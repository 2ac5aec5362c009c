// A forward fix: one prepared migration more; its undo is registered before it begins, and then the way goes
// on.
import { controlActivities, environmentActivities } from './activities.ts';
import { untilDone } from './persist.ts';
import { show } from './progress.ts';
import type { RolloutState } from './rollout-state.ts';

/**
 * Null when it passed, else why not. Its own check is part of it: rehearsed there and back, and the catalog
 * compared with the rehearsal.
 */
export async function goForward(state: RolloutState, fallback: string, why: string): Promise<string | null> {
  const { list, rollout } = state.input.run;
  const what = `plan the forward fix ${fallback}`;
  const plan = await untilDone(
    { asker: state.asker, environment: rollout.environment, what, orElse: 'stop' },
    () => controlActivities(what, state.input.timing).planForward({ list, fallback }),
  );
  if (!plan) return note(state, 'the plan has no migrate step under which it could run');
  state.progress.notes.push(`forward fix ${fallback}: ${why}`);
  show(state.progress, state.lastSent);
  state.stack.push(plan.entry);
  state.touched = true;
  const called = await environmentActivities(
    rollout.environment,
    `forward fix ${fallback}`,
    state.input.timing,
    'step',
  ).forwardFix({ rollout, step: plan.step, fallback });
  if ('failed' in called) {
    state.progress.notes.push(...called.failed.details);
    return note(state, called.failed.text);
  }
  state.receipts.push(called.ok);
  note(state, `${called.ok.step}: ${called.ok.summary}`);
  if (called.ok.verdict !== 'pass') return called.ok.summary;
  state.forwards += 1;
  return null;
}

function note(state: RolloutState, text: string): string {
  state.progress.notes.push(text);
  show(state.progress, state.lastSent);
  return text;
}
