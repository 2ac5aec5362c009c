// What a fallback would lose, counted before people are asked to sign it.
import type { Asked } from '../src/core/waiting.ts';
import { environmentActivities } from './activities.ts';
import type { RolloutState } from './rollout-state.ts';

/**
 * For the question: absent where no option loses anything. A count that fails says so; the question is asked all
 * the same, because somebody waits for it.
 */
export async function losesOf(
  state: RolloutState,
  options: readonly string[],
): Promise<{ readonly loses?: string }> {
  const { list, rollout } = state.input.run;
  const losing = options.filter((word) => {
    const fallback = list.fallbacks[word];
    return fallback !== undefined && 'restore' in fallback;
  });
  if (losing.length === 0) return {};
  const what = `count what ${losing.join(' and ')} would lose`;
  const activities = environmentActivities(rollout.environment, what, state.input.timing, 'count');
  const called = await activities.countNewer({ rollout });
  const said = 'ok' in called ? called.ok.summary : `not counted: ${called.failed.text}`;
  const loses = `${losing.join(' and ')} would lose ${said}`;
  state.progress.notes.push(loses);
  return { loses };
}

/** The question, with what its options would lose. */
export async function withLosses(state: RolloutState, asked: Asked): Promise<Asked> {
  return { ...asked, ...(await losesOf(state, asked.options)) };
}
