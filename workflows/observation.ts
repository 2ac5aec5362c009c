// The soak or watch: one activity a slice, judged where it is read; breaches go through the matrix.
import { CancelledFailure } from '@temporalio/common';
import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import { newSoak, summarise, type Breach, type ObserveResult, type SoakState } from '../src/core/soak.ts';
import type { Decision } from '../src/core/matrix.ts';
import { sliceMs } from '../src/core/slice.ts';
import type { EnvironmentOutcome } from '../src/core/activities.ts';
import type { Answered } from './rollout-inbox.ts';
import { controlActivities, observeActivities } from './activities.ts';
import { resolve, type RolloutState, setWaiting } from './rollout-state.ts';
import { show } from './progress.ts';

/** What is known of one soak or watch. */
interface Watched {
  readonly forward: CancellationScope;
  readonly phase: 'soak' | 'watch';
  state: SoakState;
  slices: number;
  /** Came while people were asked about something else, and is asked about after it, though it may be over by then. */
  later: Breach[];
}

/** Observes until the deployment says `close` (soak) or until the time is over (watch, and the last soak). */
export async function observeUntilClosed(state: RolloutState, forward: CancellationScope): Promise<void> {
  const { list } = state.input.run;
  const phase = list.environment.soak ? 'soak' : 'watch';
  if (!list.environment.soak && !list.environment.watch) return;
  state.progress.phase = phase;
  setWaiting(state, null, null);
  const watched: Watched = { forward, phase, state: newSoak(), slices: 0, later: [] };
  for (;;) {
    if (watched.state.passed && (state.inbox.closing || list.last)) return;
    if (state.inbox.paused) {
      await untilResumed(state, () => watched.state.passed);
      continue;
    }
    const result = await observeSlice(state, watched);
    watched.state = { ...result.state, extendedMs: result.state.extendedMs + state.inbox.extendMs };
    state.inbox.extendMs = 0;
    state.meanwhile = (ask) => measureOn(state, watched, ask);
    await judge(state, result, watched).finally(() => (state.meanwhile = null));
  }
}

/** A soak that has passed can be closed while it is paused. */
async function untilResumed(state: RolloutState, passed: () => boolean): Promise<void> {
  setWaiting(
    state,
    'resume',
    `soakgate resume ${state.input.run.rollout.deployment} ${state.input.run.rollout.environment}`,
  );
  await condition(() => !state.inbox.paused || (state.inbox.closing && passed()));
  setWaiting(state, null, null);
}

/** `checkNow`, `close` and `pause` end a slice early; it returns what it has. */
async function observeSlice(state: RolloutState, watched: Watched, asking?: true): Promise<ObserveResult> {
  const { list, rollout } = state.input.run;
  const { forward, phase } = watched;
  const number = watched.slices;
  watched.slices += 1;
  const slice = new CancellationScope({ cancellable: true, parent: forward });
  const interrupt = state.inbox.interrupt;
  state.inbox.interrupt = () => {
    if (state.inbox.rollBack) interrupt();
    else slice.cancel();
  };
  try {
    const length = sliceMs(list, phase, number);
    const result = await slice.run(() =>
      observeActivities(
        rollout.environment,
        `${phase}, slice ${number + 1}`,
        state.input.timing?.observeHeartbeatMs ?? 30_000,
      ).observe({
        rollout,
        phase,
        sliceMs: length,
        state: watched.state,
        ...(asking && { asking }),
      }),
    );
    // A slice that was cancelled hands back what it has; the way forward is over all the same.
    if (forward.consideredCancelled) throw new CancelledFailure('the way forward was left');
    return result;
  } catch (error) {
    // Interrupted before a worker had taken it: nothing was read, and nothing is wrong.
    if (!isCancellation(error) || forward.consideredCancelled) throw error;
    return {
      state: watched.state,
      breaches: [],
      metrics: 0,
      summary: summarise(watched.state),
      verdict: null,
    };
  } finally {
    state.inbox.interrupt = interrupt;
    state.inbox.checkNow = false;
  }
}

function tellMetrics(state: RolloutState, { summary }: ObserveResult): void {
  state.soak = summary.join('\n');
  const others = state.progress.notes.filter((note) => !note.startsWith('reading '));
  state.progress.notes.splice(
    0,
    state.progress.notes.length,
    ...others,
    ...summary.map((line) => `reading ${line}`),
  );
}

async function judge(state: RolloutState, result: ObserveResult, watched: Watched): Promise<void> {
  tellMetrics(state, result);
  const forwards = state.forwards;
  result.breaches.forEach((breach) => putLater(watched, breach));
  await answerLater(state, watched, forwards);
  if (result.verdict === 'extension-needed' && state.forwards === forwards) {
    await askForExtension(state, watched);
    await answerLater(state, watched, forwards);
  }
  // What was observed was another schema: the soak starts again.
  if (state.forwards > forwards) {
    watched.state = {
      ...newSoak(watched.state.baseline),
      counters: watched.state.counters,
      since: watched.state.since,
    };
    watched.later = [];
  } else if (result.verdict === 'passed') {
    watched.state = { ...watched.state, passed: true };
    await state.inbox.notifyDeployment({
      is: 'soakPassed',
      environment: state.input.run.rollout.environment,
      outcome: outcomeSoFar(state),
    });
    if (!state.input.run.list.last) setWaiting(state, 'the next environment; measuring goes on', null);
  }
  show(state.progress, state.lastSent);
}

/** Nobody can decide that a soak has passed: it is lengthened, or left (rule 1). */
async function askForExtension(state: RolloutState, watched: Watched): Promise<void> {
  const { environment, fallbacks } = state.input.run.list;
  const question = {
    do: 'ask',
    ask: ['extend', 'stop', ...Object.keys(fallbacks)],
    severity: 'high',
    row: 'the soak did not pass in its time',
  } as const;
  await resolve(state, question, 'the soak is over, but it has not passed');
  const { extendMs, forMs } = (environment.soak ?? environment.watch)!;
  watched.state = { ...watched.state, extendedMs: watched.state.extendedMs + (extendMs ?? forMs) };
}

/** One question of each sample, the last one. */
function putLater(watched: Watched, breach: Breach): void {
  watched.later = [...withoutIt(watched.later, breach), breach];
}

const withoutIt = (breaches: readonly Breach[], breach: Breach) =>
  breaches.filter((other) => idOf(other) !== idOf(breach));

/** All that waits for an answer; after a forward fix it is another schema that is observed. */
async function answerLater(state: RolloutState, watched: Watched, forwards: number): Promise<void> {
  while (watched.later.length > 0 && state.forwards === forwards)
    await answerBreach(state, watched.later.shift()!, watched);
}

async function answerBreach(state: RolloutState, breach: Breach, watched: Watched): Promise<void> {
  const { rollout } = state.input.run;
  state.progress.health = 'troubled';
  state.progress.notes.push(breach.text);
  // People are deciding on a gate report that says "passed": it no longer holds, and clean days are counted anew.
  if (watched.state.passed) {
    watched.state = { ...watched.state, passed: false, cleanSince: null };
    await state.inbox.notifyDeployment({
      is: 'soakVoided',
      environment: rollout.environment,
      why: breach.text,
    });
  }
  const decision = await decideAbout(state, breach);
  // Decided to go on: the same breach is not asked again until it has cleared.
  acknowledge(watched, [breach]);
  try {
    await resolve(state, decision, breach.text);
  } catch (error) {
    if (!(error instanceof EscalatedBreach)) throw error;
    state.progress.notes.push(
      error.breach.text,
      'the question was withdrawn: the matrix answers this by itself',
    );
    setWaiting(state, null, null);
    await state.inbox.notifyDeployment({ is: 'waiting', environment: rollout.environment, reason: null });
    watched.later = withoutIt(watched.later, error.breach);
    acknowledge(watched, [error.breach]);
    await resolve(state, error.decision, error.breach.text);
  }
  state.progress.health = 'good';
}

const decideAbout = (state: RolloutState, breach: Breach): Promise<Decision> =>
  controlActivities(`what to do about ${breach.monitor}/${breach.metric}`).decide({
    list: state.input.run.list,
    trouble: breach,
  });

const idOf = ({ monitor, metric }: Breach) => `${monitor}/${metric}`;

function acknowledge(watched: Watched, breaches: readonly Breach[]): void {
  watched.state = {
    ...watched.state,
    acknowledged: [...new Set([...watched.state.acknowledged, ...breaches.map(idOf)])],
  };
}

/** While people were asked something came that is not asked about. */
class EscalatedBreach extends Error {
  override readonly name = 'EscalatedBreach';
  readonly breach: Breach;
  readonly decision: Decision;
  constructor(breach: Breach, decision: Decision) {
    super(breach.text);
    this.breach = breach;
    this.decision = decision;
  }
}

/** @throws EscalatedBreach about what the matrix answers without people. */
async function refuseToAskAbout(state: RolloutState, breach: Breach): Promise<void> {
  const decision = await decideAbout(state, breach);
  if (decision.do === 'fallback' || decision.do === 'stop') throw new EscalatedBreach(breach, decision);
}

/** Asks, and measures on: what the matrix answers without people does not wait for them. What it would ask about waits for its turn. */
async function measureOn(
  state: RolloutState,
  watched: Watched,
  ask: () => Promise<Answered>,
): Promise<Answered> {
  for (const breach of watched.later) await refuseToAskAbout(state, breach);
  const question = new CancellationScope({ cancellable: true, parent: watched.forward });
  let over = false;
  const answered = question.run(ask).finally(() => {
    over = true;
    state.inbox.interrupt();
  });
  // Awaited below, whatever happens meanwhile.
  answered.catch(() => undefined);
  try {
    while (!over) {
      if (state.inbox.paused) {
        await condition(() => !state.inbox.paused || over);
        continue;
      }
      const result = await observeSlice(state, watched, true);
      watched.state = result.state;
      tellMetrics(state, result);
      show(state.progress, state.lastSent);
      for (const breach of result.breaches) {
        await refuseToAskAbout(state, breach);
        putLater(watched, breach);
      }
      acknowledge(watched, result.breaches);
    }
    return await answered;
  } finally {
    question.cancel();
  }
}

function outcomeSoFar(state: RolloutState): EnvironmentOutcome {
  return {
    environment: state.input.run.rollout.environment,
    outcome: 'soaking',
    receipts: state.receipts,
    undos: [],
    differences: [],
    soak: state.soak,
  };
}
