// Breaches of an observation: one question after the other, while measuring goes on.
import { CancellationScope, condition } from '@temporalio/workflow';
import type { Decision } from '../src/core/matrix.ts';
import type { Breach } from '../src/core/soak.ts';
import { type Answered, askPerson } from './ask-person.ts';
import { type Ask, decideAbout, type Next, resolve } from './decisions.ts';
import { withLosses } from './newer.ts';
import { show } from './progress.ts';
import type { RolloutState } from './rollout-state.ts';
import { observeSlice, takeSlice, waitAfterFailure, type Watched } from './slice.ts';

/** Something that the matrix answers without people came while they were asked. */
interface EscalatedBreach {
  readonly breach: Breach;
  readonly decision: Decision;
}

/** One question of each sample, the last one. */
export function putLater(watched: Watched, breach: Breach): void {
  watched.later = [...withoutIt(watched.later, breach), breach];
}

const withoutIt = (breaches: readonly Breach[], breach: Breach) =>
  breaches.filter((other) => idOf(other) !== idOf(breach));

/** All that waits for an answer; after a forward fix it is another schema that is observed. */
export async function answerLater(state: RolloutState, watched: Watched, forwards: number): Promise<Next> {
  while (watched.later.length > 0 && state.forwards === forwards) {
    const next = await answerBreach(state, watched.later.shift()!, watched);
    if (typeof next === 'object') return next;
  }
  return 'on';
}

async function answerBreach(state: RolloutState, breach: Breach, watched: Watched): Promise<Next> {
  const { environment } = state.input.run.rollout;
  state.progress.health = 'troubled';
  state.progress.notes.push(breach.text);
  // People are deciding on a gate report that says "passed": it no longer holds, and clean days are counted
  // anew.
  if (watched.soak.passed) {
    watched.soak = { ...watched.soak, passed: false, cleanSince: null };
    await state.inbox.notifyDeployment({ is: 'soakVoided', environment, why: breach.text });
  }
  const decision = await decideBreach(state, breach);
  // Decided to go on: the same breach is not asked again until it has cleared.
  acknowledge(watched, [breach]);
  const next = await askMeasuring(state, watched, decision, breach.text);
  if (typeof next !== 'object') state.progress.health = 'good';
  return next;
}

const decideBreach = (state: RolloutState, breach: Breach): Promise<Decision> =>
  decideAbout(state, { trouble: breach }, `what to do about ${idOf(breach)}`);

const idOf = ({ monitor, metric }: Breach) => `${monitor}/${metric}`;

function acknowledge(watched: Watched, breaches: readonly Breach[]): void {
  const acknowledged = [...new Set([...watched.soak.acknowledged, ...breaches.map(idOf)])];
  watched.soak = { ...watched.soak, acknowledged };
}

/**
 * Acts on a decision, and measures on while people are asked: what the matrix answers without them withdraws
 * the question.
 */
export async function askMeasuring(
  state: RolloutState,
  watched: Watched,
  decision: Decision,
  about: string,
): Promise<Next> {
  const withdrawn: EscalatedBreach[] = [];
  const ask: Ask = async (asked, unanswered) => {
    const answer = await measureOn(state, watched, async () =>
      askPerson(state.asker, await withLosses(state, asked), unanswered),
    );
    if ('word' in answer) return answer;
    withdrawn.push(answer);
    return null;
  };
  const next = await resolve(state, decision, about, ask);
  const [escalated] = withdrawn;
  if (next !== null || !escalated) return next ?? 'on';
  state.progress.notes.push(
    escalated.breach.text,
    'the question was withdrawn: the matrix answers this by itself',
  );
  await state.asker.show(null);
  watched.later = withoutIt(watched.later, escalated.breach);
  acknowledge(watched, [escalated.breach]);
  return askMeasuring(state, watched, escalated.decision, escalated.breach.text);
}

async function escalated(state: RolloutState, breach: Breach): Promise<EscalatedBreach | null> {
  const decision = await decideBreach(state, breach);
  return decision.do === 'fallback' || decision.do === 'stop' ? { breach, decision } : null;
}

/** Asks, and measures on. What the matrix would ask about waits for its turn. */
async function measureOn(
  state: RolloutState,
  watched: Watched,
  ask: () => Promise<Answered>,
): Promise<Answered | EscalatedBreach> {
  for (const breach of watched.later) {
    const worse = await escalated(state, breach);
    if (worse) return worse;
  }
  const question = new CancellationScope({ cancellable: true });
  let over = false;
  const answered = question.run(ask).finally(() => (over = true));
  // Awaited below, whatever happens meanwhile.
  answered.catch(() => undefined);
  try {
    while (!over) {
      if (state.inbox.paused) {
        await condition(() => !state.inbox.paused || over);
        continue;
      }
      const slice = await observeSlice(state, watched, { over: () => over });
      if ('failed' in slice) {
        watched.failures += 1;
        await waitAfterFailure(state, watched, slice.failed.text, () => over);
        continue;
      }
      takeSlice(state, watched, slice.ok);
      show(state.progress, state.lastSent);
      for (const breach of slice.ok.breaches) {
        const worse = await escalated(state, breach);
        if (worse) return worse;
        putLater(watched, breach);
      }
      acknowledge(watched, slice.ok.breaches);
    }
    return await answered;
  } finally {
    question.cancel();
  }
}
