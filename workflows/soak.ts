// The soak or watch: one activity a stretch, judged where it is read; breaches go through the matrix.
import { CancelledFailure } from '@temporalio/common';
import { CancellationScope, condition } from '@temporalio/workflow';
import { newSoak, type Breach, type ObserveResult, type SoakState } from '../src/core/soak.ts';
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
  const watched = { state: newSoak(), passed: false, stretches: 0 };
  for (;;) {
    if (watched.passed && (stay.desk.closing || list.last)) return;
    await untilResumed(stay);
    const result = await observeStretch(stay, forward, phase, watched.state, watched.stretches);
    // A stretch that was cancelled hands back what it has; the way forward is over all the same.
    if (forward.consideredCancelled) throw new CancelledFailure('the way forward was left');
    watched.state = { ...result.state, extendedMs: result.state.extendedMs + stay.desk.extendMs };
    stay.desk.extendMs = 0;
    watched.stretches += 1;
    await judge(stay, result, watched);
  }
}

async function untilResumed(stay: Stay): Promise<void> {
  if (!stay.desk.paused) return;
  waiting(stay, 'resume', 'soakgate resume');
  await condition(() => !stay.desk.paused);
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
  } finally {
    stay.desk.interrupt = interrupt;
    stay.desk.checkNow = false;
  }
}

async function judge(stay: Stay, result: ObserveResult, watched: { state: SoakState; passed: boolean }): Promise<void> {
  stay.soak = result.summary.join('\n');
  stay.progress.notes.splice(
    0,
    stay.progress.notes.length,
    ...stay.progress.notes.filter((note) => !note.startsWith('reading ')),
    ...result.summary.map((line) => `reading ${line}`),
  );
  for (const breach of result.breaches) await answerBreach(stay, breach, watched);
  if (result.verdict === 'extension-needed') {
    const question = {
      do: 'ask',
      ask: ['extend', 'continue', 'stop', ...Object.keys(stay.input.run.list.routes)],
      severity: 'high',
      row: 'the soak did not pass in its time',
    } as const;
    if (await resolve(stay, question, 'the soak is over, but it has not passed'))
      watched.state = {
        ...watched.state,
        extendedMs: watched.state.extendedMs + (stay.input.run.list.environment.soak?.extendMs ?? stay.input.run.list.environment.soak?.forMs ?? 0),
      };
    else watched.passed = true;
  }
  if (result.verdict === 'passed' && !watched.passed) {
    watched.passed = true;
    await stay.desk.tell({ is: 'soakPassed', environment: stay.input.run.rollout.environment, outcome: outcomeSoFar(stay) });
    if (!stay.input.run.list.last) waiting(stay, 'the next environment; measuring goes on', null);
  }
  show(stay.progress, stay.shown);
}

async function answerBreach(stay: Stay, breach: Breach, watched: { state: SoakState; passed: boolean }): Promise<void> {
  const { list, rollout } = stay.input.run;
  stay.progress.health = 'troubled';
  stay.progress.notes.push(breach.text);
  // People are deciding on a dossier that says "passed": it no longer holds.
  if (watched.passed) await stay.desk.tell({ is: 'soakVoided', environment: rollout.environment, why: breach.text });
  const decision = await controlActivities(`what to do about ${breach.meter}/${breach.reading}`).decide({ list, trouble: breach });
  await resolve(stay, decision, breach.text);
  stay.progress.health = 'good';
  // Decided to go on: the same breach is not asked again until it has cleared.
  watched.state = { ...watched.state, acknowledged: [...watched.state.acknowledged, `${breach.meter}/${breach.reading}`] };
  if (watched.passed) {
    watched.passed = false;
    watched.state = { ...watched.state, cleanSince: null };
  }
}

function outcomeSoFar(stay: Stay): EnvironmentOutcome {
  return { environment: stay.input.run.rollout.environment, ending: 'soaking', receipts: stay.receipts, undos: [], left: [], soak: stay.soak };
}
