// The soak or watch: one activity a stretch, judged where it is read; breaches go through the matrix.
import { CancelledFailure } from '@temporalio/common';
import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import { newSoak, summarise, type Breach, type ObserveResult, type SoakState } from '../src/core/soak.ts';
import { stretchMs } from '../src/core/stretch.ts';
import type { EnvironmentOutcome } from '../src/core/activities.ts';
import { controlActivities, observeActivities } from './proxies.ts';
import { resolve, type Stay, waiting } from './stay.ts';
import { show } from './progress.ts';

/** Observes until the deployment says `close` (soak) or until the time is over (watch, and the last soak). */
export async function observeUntilClosed(stay: Stay, forward: CancellationScope): Promise<void> {
  const { list } = stay.input.run;
  const phase = list.environment.soak ? 'soak' : 'watch';
  if (!list.environment.soak && !list.environment.watch) return;
  stay.progress.phase = phase;
  waiting(stay, null, null);
  const watched = { state: newSoak(), stretches: 0 };
  for (;;) {
    if (watched.state.passed && (stay.desk.closing || list.last)) return;
    if (stay.desk.paused) {
      await untilResumed(stay, () => watched.state.passed);
      continue;
    }
    const result = await observeStretch(stay, forward, phase, watched.state, watched.stretches);
    // A stretch that was cancelled hands back what it has; the way forward is over all the same.
    if (forward.consideredCancelled) throw new CancelledFailure('the way forward was left');
    watched.state = { ...result.state, extendedMs: result.state.extendedMs + stay.desk.extendMs };
    stay.desk.extendMs = 0;
    watched.stretches += 1;
    await judge(stay, result, watched);
  }
}

/** A soak that has passed can be closed while it is paused. */
async function untilResumed(stay: Stay, passed: () => boolean): Promise<void> {
  waiting(stay, 'resume', `soakgate resume ${stay.input.run.rollout.deployment} ${stay.input.run.rollout.environment}`);
  await condition(() => !stay.desk.paused || (stay.desk.closing && passed()));
  waiting(stay, null, null);
}

/** `checkNow`, `close` and `pause` end a stretch early; it returns what it has. */
async function observeStretch(
  stay: Stay,
  forward: CancellationScope,
  phase: 'soak' | 'watch',
  state: SoakState,
  number: number,
): Promise<ObserveResult> {
  const { list, rollout } = stay.input.run;
  const stretch = new CancellationScope({ cancellable: true, parent: forward });
  const interrupt = stay.desk.interrupt;
  stay.desk.interrupt = () => {
    if (stay.desk.goBack) interrupt();
    else stretch.cancel();
  };
  try {
    const length = stretchMs(list, phase, number);
    return await stretch.run(() =>
      observeActivities(rollout.environment, `${phase}, stretch ${number + 1}`, stay.input.timing?.observeHeartbeatMs ?? 30_000).observe({
        rollout,
        phase,
        stretchMs: length,
        state,
      }),
    );
  } catch (error) {
    // Interrupted before a worker had taken it: nothing was read, and nothing is wrong.
    if (!isCancellation(error) || forward.consideredCancelled) throw error;
    return { state, breaches: [], readings: 0, summary: summarise(state), verdict: null };
  } finally {
    stay.desk.interrupt = interrupt;
    stay.desk.checkNow = false;
  }
}

async function judge(stay: Stay, result: ObserveResult, watched: { state: SoakState }): Promise<void> {
  stay.soak = result.summary.join('\n');
  stay.progress.notes.splice(
    0,
    stay.progress.notes.length,
    ...stay.progress.notes.filter((note) => !note.startsWith('reading ')),
    ...result.summary.map((line) => `reading ${line}`),
  );
  const forwards = stay.forwards;
  for (const breach of result.breaches) if (stay.forwards === forwards) await answerBreach(stay, breach, watched);
  if (result.verdict === 'extension-needed' && stay.forwards === forwards) await askForExtension(stay, watched);
  // What was observed was another schema: the soak starts again.
  if (stay.forwards > forwards) watched.state = { ...newSoak(watched.state.baseline), counters: watched.state.counters, since: watched.state.since };
  else if (result.verdict === 'passed') {
    watched.state = { ...watched.state, passed: true };
    await stay.desk.tell({ is: 'soakPassed', environment: stay.input.run.rollout.environment, outcome: outcomeSoFar(stay) });
    if (!stay.input.run.list.last) waiting(stay, 'the next environment; measuring goes on', null);
  }
  show(stay.progress, stay.shown);
}

/** Nobody can decide that a soak has passed: it is lengthened, or left (rule 1). */
async function askForExtension(stay: Stay, watched: { state: SoakState }): Promise<void> {
  const { environment, routes } = stay.input.run.list;
  const question = {
    do: 'ask',
    ask: ['extend', 'stop', ...Object.keys(routes)],
    severity: 'high',
    row: 'the soak did not pass in its time',
  } as const;
  await resolve(stay, question, 'the soak is over, but it has not passed');
  const { extendMs, forMs } = (environment.soak ?? environment.watch)!;
  watched.state = { ...watched.state, extendedMs: watched.state.extendedMs + (extendMs ?? forMs) };
}

async function answerBreach(stay: Stay, breach: Breach, watched: { state: SoakState }): Promise<void> {
  const { list, rollout } = stay.input.run;
  stay.progress.health = 'troubled';
  stay.progress.notes.push(breach.text);
  // People are deciding on a dossier that says "passed": it no longer holds, and clean days are counted anew.
  if (watched.state.passed) {
    watched.state = { ...watched.state, passed: false, cleanSince: null };
    await stay.desk.tell({ is: 'soakVoided', environment: rollout.environment, why: breach.text });
  }
  const decision = await controlActivities(`what to do about ${breach.meter}/${breach.reading}`).decide({ list, trouble: breach });
  await resolve(stay, decision, breach.text);
  stay.progress.health = 'good';
  // Decided to go on: the same breach is not asked again until it has cleared.
  watched.state = { ...watched.state, acknowledged: [...watched.state.acknowledged, `${breach.meter}/${breach.reading}`] };
}

function outcomeSoFar(stay: Stay): EnvironmentOutcome {
  return { environment: stay.input.run.rollout.environment, ending: 'soaking', receipts: stay.receipts, undos: [], left: [], soak: stay.soak };
}
