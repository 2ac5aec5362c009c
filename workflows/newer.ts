// What a fallback would lose, counted before people are asked to sign it.
import type { Asked } from '../src/core/waiting.ts';
import { environmentActivities } from './activities.ts';
import type { RolloutState } from './rollout-state.ts';

/**
 * The question, with what its options would lose; as it is where none loses anything. A count that fails says so: the
 * question is asked all the same, because somebody waits for it.
 */
export async function withLosses(state: RolloutState, asked: Asked): Promise<Asked> {
  const { list, rollout } = state.input.run;
  const losing = asked.options.filter((word) => {
    const fallback = list.fallbacks[word];
    return fallback !== undefined && 'restore' in fallback;
  });
  if (losing.length === 0) return asked;
  const what = `count what ${losing.join(' and ')} would lose`;
  const activities = environmentActivities(rollout.environment, what, state.input.timing, 'count');
  const called = await activities.countNewer({ rollout });
  const said = 'ok' in called ? called.ok.summary : `not counted: ${called.failed.text}`;
  const loses = `${losing.join(' and ')} would lose ${said}`;
  state.progress.notes.push(loses);
  return { ...asked, loses };
}
