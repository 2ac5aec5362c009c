// How a rollout acts on a decision, of the matrix or of people: it goes on, does the same again, or goes
// back.
import type { Decision } from '../src/core/matrix.ts';
import type { VerifiedMessage } from '../src/core/messages.ts';
import type { Asked } from '../src/core/waiting.ts';
import { controlActivities } from './activities.ts';
import { type Answered, askPerson, type Unanswered } from './ask-person.ts';
import { goForward } from './forward.ts';
import { withLosses } from './newer.ts';
import { untilDone } from './persist.ts';
import type { RollbackRequest } from './rollout-inbox.ts';
import { accept, type RolloutState } from './rollout-state.ts';

/** How it goes on: further, the same once more (a person mended something), or back. */
export type Next = 'on' | 'again' | RollbackRequest;

/** Asks people; null when the question was withdrawn meanwhile. */
export type Ask = (asked: Asked, unanswered: Unanswered | undefined) => Promise<Answered | null>;

/**
 * Acts on a decision. `ask` does what goes on while people are asked; a question that it withdraws is left
 * unanswered: null.
 */
export async function resolve(
  state: RolloutState,
  decision: Decision,
  about: string,
  ask: Ask = async (asked, unanswered) => askPerson(state.asker, await withLosses(state, asked), unanswered),
): Promise<Next | null> {
  if (decision.do === 'continue') {
    if (!decision.waits) accept(state, about, `the plan: ${decision.row}`);
    return 'on';
  }
  if (decision.do === 'stop') return { why: about, fallback: null, by: null };
  if (decision.do === 'fallback') return takeFallback(state, decision.name, about, null, ask);
  const { environment } = state.input.run.rollout;
  const options = decision.do === 'ask' ? decision.ask : ['continue', 'stop'];
  state.progress.health = 'troubled';
  const answered = await ask(
    { kind: 'decision', environment, about, options },
    decision.do === 'ask' ? decision.unanswered : undefined,
  );
  if (!answered) return null;
  const { word, by } = answered;
  state.progress.health = 'good';
  state.progress.notes.push(`decided about ${about}: ${word}`);
  if (word === 'continue') {
    accept(state, about, `continued by ${whom(by)}`);
    return 'on';
  }
  if (word === 'stop') return { why: `${about}; decided: stop`, fallback: null, by };
  if (Object.hasOwn(state.input.run.list.fallbacks, word))
    return takeFallback(state, word, `${about}; decided: ${word}`, by, ask);
  return 'again';
}

/** Silence is nobody's signature. */
const whom = (by: VerifiedMessage | null): string => by?.signed.person ?? 'the plan: nobody answered in time';

/** What the decision matrix says about it; people decide where it cannot be asked. */
export async function decideAbout(
  state: RolloutState,
  question: Omit<Parameters<ReturnType<typeof controlActivities>['decide']>[0], 'list'>,
  what: string,
): Promise<Decision> {
  const decision = await untilDone(
    { asker: state.asker, environment: state.input.run.rollout.environment, what, orElse: 'stop' },
    () => controlActivities(what, state.input.timing).decide({ list: state.input.run.list, ...question }),
  );
  return (
    decision ?? {
      do: 'stop',
      severity: 'critical',
      row: 'the decision matrix could not be asked; decided: stop',
    }
  );
}

/** A forward fix is walked here and then it goes on; every other fallback leads back. */
async function takeFallback(
  state: RolloutState,
  name: string,
  about: string,
  by: VerifiedMessage | null,
  ask: Ask,
): Promise<Next | null> {
  const { list } = state.input.run;
  if (!('forward' in list.fallbacks[name]!)) return { why: about, fallback: name, by };
  const failed = await goForward(state, name, about);
  if (failed === null) {
    accept(state, about, `forward fix ${name}, ${by ? `decided by ${whom(by)}` : 'by the plan'}`);
    return 'on';
  }
  const decision = await decideAbout(
    state,
    { trouble: { fallback: name, is: 'fail' } },
    `what to do about fallback ${name}`,
  );
  return resolve(state, decision, `fallback ${name}: ${failed}`, ask);
}
