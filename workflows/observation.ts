// The soak or watch: one activity a slice, judged where it is read; breaches go through the decision matrix.
import type { EnvironmentOutcome } from '../src/core/activities.ts';
import { newSoak, type ObserveResult, type SoakState } from '../src/core/soak.ts';
import type { Failure } from './activities.ts';
import type { Asker } from './ask-person.ts';
import { answerLater, askMeasuring, putLater } from './breaches.ts';
import { decideAbout, type Next, resolve } from './decisions.ts';
import { backoffMs } from './persist.ts';
import { show } from './progress.ts';
import type { RollbackRequest } from './rollout-inbox.ts';
import { acceptedIn, type RolloutState, setWaiting, untilResumed } from './rollout-state.ts';
import { observeSlice, takeSlice, waitAfterFailure, type Watched } from './slice.ts';

/** So many slices in a row may fail before anybody is asked. */
const FAILURES_ALLOWED = 3;

/**
 * Observes until the deployment says `close` (soak) or until the time is over (watch, and the last soak);
 * else why it rolls back.
 */
export async function observeUntilClosed(state: RolloutState): Promise<RollbackRequest | null> {
  const { list } = state.input.run;
  const phase = list.environment.soak ? 'soak' : 'watch';
  if (!list.environment.soak && !list.environment.watch) return null;
  state.progress.phase = phase;
  setWaiting(state, null);
  const watched: Watched = { phase, soak: newSoak(), slices: 0, failures: 0, later: [] };
  for (;;) {
    if (watched.soak.passed && (state.inbox.closing || list.last)) return null;
    if (state.inbox.paused) {
      await untilResumed(state, () => watched.soak.passed);
      continue;
    }
    const slice = await observeSlice(state, watched);
    const next =
      'failed' in slice
        ? await afterFailure(state, watched, slice.failed)
        : await judge(state, watched, slice.ok);
    if (typeof next === 'object') return next;
  }
}

/** Whoever cannot look does not pass: it is tried again, and then the matrix decides about the error. */
async function afterFailure(state: RolloutState, watched: Watched, { text }: Failure): Promise<Next> {
  watched.failures += 1;
  const { environment } = state.input.run.rollout;
  const what = `reading the monitors in ${environment}`;
  state.progress.health = 'troubled';
  if (watched.failures <= FAILURES_ALLOWED) {
    await waitAfterFailure(state, watched, text);
    return 'again';
  }
  watched.failures = 0;
  state.progress.notes.push(`${what} failed: ${text}`);
  const trouble = { monitor: 'any', metric: 'any', is: 'error', lastedMs: failedForMs(state.asker) } as const;
  const decision = await decideAbout(state, { trouble }, `what to do about the monitors`);
  const next = (await resolve(state, decision, `${what} failed: ${text}`)) ?? 'on';
  state.progress.health = 'good';
  show(state.progress, state.lastSent);
  return next;
}

/** For how long nothing could be read when the matrix is asked. */
const failedForMs = (asker: Asker): number =>
  Array.from({ length: FAILURES_ALLOWED }, (_, index) => backoffMs(asker, index + 1)).reduce(
    (sum, ms) => sum + ms,
    0,
  );

async function judge(state: RolloutState, watched: Watched, result: ObserveResult): Promise<Next> {
  takeSlice(state, watched, result);
  watched.soak = { ...watched.soak, extendedMs: watched.soak.extendedMs + state.inbox.extendMs };
  state.inbox.extendMs = 0;
  const { forwards } = state;
  result.breaches.forEach((breach) => putLater(watched, breach));
  let next = await answerLater(state, watched, forwards);
  if (next === 'on' && result.verdict === 'extension-needed' && state.forwards === forwards) {
    next = await askForExtension(state, watched);
    if (next === 'on') next = await answerLater(state, watched, forwards);
  }
  if (next !== 'on') return next;
  if (state.forwards > forwards) startAgain(watched);
  else if (result.verdict === 'passed') await soakPassed(state, watched, result);
  show(state.progress, state.lastSent);
  return 'on';
}

/** What was observed was another schema. */
function startAgain(watched: Watched): void {
  const { baseline, counters, since, bytes } = watched.soak;
  watched.soak = { ...newSoak(baseline), counters, since, bytes } satisfies SoakState;
  watched.later = [];
}

async function soakPassed(
  state: RolloutState,
  watched: Watched,
  { statement }: ObserveResult,
): Promise<void> {
  const { environment } = state.input.run.rollout;
  watched.soak = { ...watched.soak, passed: true };
  state.soakTold = true;
  await state.inbox.notifyDeployment({
    is: 'soakPassed',
    environment,
    outcome: { ...outcomeSoFar(state), ...(statement && { statement }) },
  });
  if (!state.input.run.list.last) setWaiting(state, { kind: 'next-environment', environment });
}

/** Nobody can decide that a soak has passed: it is lengthened, or left (rule 1). */
async function askForExtension(state: RolloutState, watched: Watched): Promise<Next> {
  const { environment, fallbacks } = state.input.run.list;
  const question = {
    do: 'ask',
    ask: ['extend', 'stop', ...Object.keys(fallbacks)],
    severity: 'high',
    row: 'the soak did not pass in its time',
  } as const;
  const next = await askMeasuring(state, watched, question, 'the soak is over, but it has not passed');
  if (typeof next === 'object') return next;
  const { extendMs, forMs } = (environment.soak ?? environment.watch)!;
  watched.soak = { ...watched.soak, extendedMs: watched.soak.extendedMs + (extendMs ?? forMs) };
  return 'on';
}

function outcomeSoFar(state: RolloutState): EnvironmentOutcome {
  return {
    environment: state.input.run.rollout.environment,
    outcome: 'soaking',
    receipts: state.receipts,
    undos: [],
    differences: [],
    soak: state.soak,
    ...acceptedIn(state),
  };
}
