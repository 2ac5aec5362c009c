// The soak or watch: one activity a slice, judged where it is read; breaches go through the matrix.
import { CancelledFailure } from '@temporalio/common';
import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import { newSoak, summarise, type Breach, type ObserveResult, type SoakState } from '../src/core/soak.ts';
import type { Decision } from '../src/core/matrix.ts';
import { sliceMs } from '../src/core/slice.ts';
import type { EnvironmentOutcome } from '../src/core/activities.ts';
import type { Answered } from './desk.ts';
import { controlActivities, observeActivities } from './proxies.ts';
import { resolve, type Stay, waiting } from './stay.ts';
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
export async function observeUntilClosed(stay: Stay, forward: CancellationScope): Promise<void> {
  const { list } = stay.input.run;
  const phase = list.environment.soak ? 'soak' : 'watch';
  if (!list.environment.soak && !list.environment.watch) return;
  stay.progress.phase = phase;
  waiting(stay, null, null);
  const watched: Watched = { forward, phase, state: newSoak(), slices: 0, later: [] };
  for (;;) {
    if (watched.state.passed && (stay.desk.closing || list.last)) return;
    if (stay.desk.paused) {
      await untilResumed(stay, () => watched.state.passed);
      continue;
    }
    const result = await observeSlice(stay, watched);
    watched.state = { ...result.state, extendedMs: result.state.extendedMs + stay.desk.extendMs };
    stay.desk.extendMs = 0;
    stay.meanwhile = (ask) => measureOn(stay, watched, ask);
    await judge(stay, result, watched).finally(() => (stay.meanwhile = null));
  }
}

/** A soak that has passed can be closed while it is paused. */
async function untilResumed(stay: Stay, passed: () => boolean): Promise<void> {
  waiting(
    stay,
    'resume',
    `soakgate resume ${stay.input.run.rollout.deployment} ${stay.input.run.rollout.environment}`,
  );
  await condition(() => !stay.desk.paused || (stay.desk.closing && passed()));
  waiting(stay, null, null);
}

/** `checkNow`, `close` and `pause` end a slice early; it returns what it has. */
async function observeSlice(stay: Stay, watched: Watched, asking?: true): Promise<ObserveResult> {
  const { list, rollout } = stay.input.run;
  const { forward, phase, state } = watched;
  const number = watched.slices;
  watched.slices += 1;
  const slice = new CancellationScope({ cancellable: true, parent: forward });
  const interrupt = stay.desk.interrupt;
  stay.desk.interrupt = () => {
    if (stay.desk.rollBack) interrupt();
    else slice.cancel();
  };
  try {
    const length = sliceMs(list, phase, number);
    const result = await slice.run(() =>
      observeActivities(
        rollout.environment,
        `${phase}, slice ${number + 1}`,
        stay.input.timing?.observeHeartbeatMs ?? 30_000,
      ).observe({
        rollout,
        phase,
        sliceMs: length,
        state,
        ...(asking && { asking }),
      }),
    );
    // A slice that was cancelled hands back what it has; the way forward is over all the same.
    if (forward.consideredCancelled) throw new CancelledFailure('the way forward was left');
    return result;
  } catch (error) {
    // Interrupted before a worker had taken it: nothing was read, and nothing is wrong.
    if (!isCancellation(error) || forward.consideredCancelled) throw error;
    return { state, breaches: [], metrics: 0, summary: summarise(state), verdict: null };
  } finally {
    stay.desk.interrupt = interrupt;
    stay.desk.checkNow = false;
  }
}

function tellMetrics(stay: Stay, { summary }: ObserveResult): void {
  stay.soak = summary.join('\n');
  const others = stay.progress.notes.filter((note) => !note.startsWith('reading '));
  stay.progress.notes.splice(
    0,
    stay.progress.notes.length,
    ...others,
    ...summary.map((line) => `reading ${line}`),
  );
}

async function judge(stay: Stay, result: ObserveResult, watched: Watched): Promise<void> {
  tellMetrics(stay, result);
  const forwards = stay.forwards;
  result.breaches.forEach((breach) => putLater(watched, breach));
  await answerLater(stay, watched, forwards);
  if (result.verdict === 'extension-needed' && stay.forwards === forwards) {
    await askForExtension(stay, watched);
    await answerLater(stay, watched, forwards);
  }
  // What was observed was another schema: the soak starts again.
  if (stay.forwards > forwards) {
    watched.state = {
      ...newSoak(watched.state.baseline),
      counters: watched.state.counters,
      since: watched.state.since,
    };
    watched.later = [];
  } else if (result.verdict === 'passed') {
    watched.state = { ...watched.state, passed: true };
    await stay.desk.tell({
      is: 'soakPassed',
      environment: stay.input.run.rollout.environment,
      outcome: outcomeSoFar(stay),
    });
    if (!stay.input.run.list.last) waiting(stay, 'the next environment; measuring goes on', null);
  }
  show(stay.progress, stay.shown);
}

/** Nobody can decide that a soak has passed: it is lengthened, or left (rule 1). */
async function askForExtension(stay: Stay, watched: Watched): Promise<void> {
  const { environment, fallbacks } = stay.input.run.list;
  const question = {
    do: 'ask',
    ask: ['extend', 'stop', ...Object.keys(fallbacks)],
    severity: 'high',
    row: 'the soak did not pass in its time',
  } as const;
  await resolve(stay, question, 'the soak is over, but it has not passed');
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
async function answerLater(stay: Stay, watched: Watched, forwards: number): Promise<void> {
  while (watched.later.length > 0 && stay.forwards === forwards)
    await answerBreach(stay, watched.later.shift()!, watched);
}

async function answerBreach(stay: Stay, breach: Breach, watched: Watched): Promise<void> {
  const { rollout } = stay.input.run;
  stay.progress.health = 'troubled';
  stay.progress.notes.push(breach.text);
  // People are deciding on a gate report that says "passed": it no longer holds, and clean days are counted anew.
  if (watched.state.passed) {
    watched.state = { ...watched.state, passed: false, cleanSince: null };
    await stay.desk.tell({ is: 'soakVoided', environment: rollout.environment, why: breach.text });
  }
  const decision = await decideAbout(stay, breach);
  // Decided to go on: the same breach is not asked again until it has cleared.
  acknowledge(watched, [breach]);
  try {
    await resolve(stay, decision, breach.text);
  } catch (error) {
    if (!(error instanceof WorseMeanwhile)) throw error;
    stay.progress.notes.push(
      error.breach.text,
      'the question was withdrawn: the matrix answers this by itself',
    );
    waiting(stay, null, null);
    await stay.desk.tell({ is: 'waiting', environment: rollout.environment, reason: null });
    watched.later = withoutIt(watched.later, error.breach);
    acknowledge(watched, [error.breach]);
    await resolve(stay, error.decision, error.breach.text);
  }
  stay.progress.health = 'good';
}

const decideAbout = (stay: Stay, breach: Breach): Promise<Decision> =>
  controlActivities(`what to do about ${breach.monitor}/${breach.metric}`).decide({
    list: stay.input.run.list,
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
class WorseMeanwhile extends Error {
  override readonly name = 'WorseMeanwhile';
  readonly breach: Breach;
  readonly decision: Decision;
  constructor(breach: Breach, decision: Decision) {
    super(breach.text);
    this.breach = breach;
    this.decision = decision;
  }
}

/** @throws WorseMeanwhile about what the matrix answers without people. */
async function refuseToAskAbout(stay: Stay, breach: Breach): Promise<void> {
  const decision = await decideAbout(stay, breach);
  if (decision.do === 'fallback' || decision.do === 'stop') throw new WorseMeanwhile(breach, decision);
}

/** Asks, and measures on: what the matrix answers without people does not wait for them. What it would ask about waits for its turn. */
async function measureOn(stay: Stay, watched: Watched, ask: () => Promise<Answered>): Promise<Answered> {
  for (const breach of watched.later) await refuseToAskAbout(stay, breach);
  const question = new CancellationScope({ cancellable: true, parent: watched.forward });
  let over = false;
  const answered = question.run(ask).finally(() => {
    over = true;
    stay.desk.interrupt();
  });
  // Awaited below, whatever happens meanwhile.
  answered.catch(() => undefined);
  try {
    while (!over) {
      if (stay.desk.paused) {
        await condition(() => !stay.desk.paused || over);
        continue;
      }
      const result = await observeSlice(stay, watched, true);
      watched.state = result.state;
      tellMetrics(stay, result);
      show(stay.progress, stay.shown);
      for (const breach of result.breaches) {
        await refuseToAskAbout(stay, breach);
        putLater(watched, breach);
      }
      acknowledge(watched, result.breaches);
    }
    return await answered;
  } finally {
    question.cancel();
  }
}

function outcomeSoFar(stay: Stay): EnvironmentOutcome {
  return {
    environment: stay.input.run.rollout.environment,
    outcome: 'soaking',
    receipts: stay.receipts,
    undos: [],
    differences: [],
    soak: stay.soak,
  };
}
