// What a restore would lose, counted before people sign it: with a question, or when somebody asks.
import { ApplicationFailure, HandlerUnfinishedPolicy } from '@temporalio/common';
import { CancellationScope, defineUpdate, setHandler, sleep } from '@temporalio/workflow';
import { restoringFallbacks } from '../src/core/matrix.ts';
import type { Asked } from '../src/core/waiting.ts';
import { environmentActivities } from './activities.ts';
import type { RolloutState } from './rollout-state.ts';

/** Takes the deployment, so that the rollout of another one under the same id does not answer for it. */
export const lossesUpdate = defineUpdate<string, [string]>('losses');

/** Nobody signs this question: it may cost one pass over the tables a minute, and not for ever. */
const KEPT_MS = 60_000;
const MOST = 100;

/**
 * The question, with what its options would lose; as it is where none loses anything. A count that fails says so: the
 * question is asked all the same, because somebody waits for it.
 */
export async function withLosses(state: RolloutState, asked: Asked): Promise<Asked> {
  const restoring = restoringFallbacks(state.input.run.list);
  const losing = asked.options.filter((word) => restoring.includes(word));
  if (losing.length === 0) return asked;
  const loses = `${losing.join(' and ')} would lose ${await counted(state, losing)}`;
  state.progress.notes.push(loses);
  return { ...asked, loses };
}

async function counted({ input }: RolloutState, losing: readonly string[]): Promise<string> {
  const { rollout } = input.run;
  const what = `count what ${losing.join(' and ')} would lose`;
  const activities = environmentActivities(rollout.environment, what, input.timing, 'count');
  const called = await activities.countNewer({ rollout });
  return 'ok' in called ? called.ok.summary : `not counted: ${called.failed.text}`;
}

/** Answers whoever is about to sign a restore; the answer of the last minute is given again. */
export function openLosses(state: RolloutState): void {
  let last: Promise<string> | null = null;
  let counts = 0;
  const losing = restoringFallbacks(state.input.run.list);
  setHandler(
    lossesUpdate,
    async () => {
      if (last) return last;
      if (counts === MOST) return `not counted: asked ${MOST} times already`;
      counts += 1;
      return CancellationScope.nonCancellable(() => {
        const text = counted(state, losing);
        last = text;
        void sleep(KEPT_MS).then(() => (last = null));
        return text;
      });
    },
    {
      description: 'Unsigned; counts what a restore would lose. Argument: the deployment',
      unfinishedPolicy: HandlerUnfinishedPolicy.ABANDON,
      validator: (deployment) => {
        if (deployment !== state.input.run.rollout.deployment)
          throw ApplicationFailure.nonRetryable('this rollout is of another deployment', 'MESSAGE_SHAPE');
        if (losing.length === 0)
          throw ApplicationFailure.nonRetryable('no fallback of this plan restores', 'MESSAGE_SHAPE');
      },
    },
  );
}
