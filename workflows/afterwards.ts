// What is still checked when a deployment is over: now and then, without end, until people end it or another
// release serves.
import {
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  setHandler,
} from '@temporalio/workflow';
import type { AfterwardsMemory, AfterwardsResult } from '../src/core/activities.ts';
import type { Signed } from '../src/core/messages.ts';
import { type Called, environmentActivities, observeActivities } from './activities.ts';
import { refused } from './ask-person.ts';
import type { EnvironmentRun, Timing } from './contract.ts';
import { type Answer, afterwardsTexts, openMessages } from './messages.ts';
import { openInput } from './open-input.ts';
import { type LastSent, newProgress, type Progress, progressQuery, show } from './progress.ts';
import { runUntil } from './run-until.ts';
import { isAfterwardsInput } from './shapes.ts';
import { sifter } from './sifting.ts';

export interface AfterwardsRun {
  readonly run: EnvironmentRun;
  /** Who requested the deployment, and which plan it was. */
  readonly requester: string;
  readonly plan: string;
  readonly timing?: Timing;
  /** Of an earlier run of this workflow. */
  readonly earlier?: Pick<State, 'number' | 'memory' | 'progress'>;
}

interface State {
  readonly progress: Progress;
  readonly lastSent: LastSent;
  number: number;
  memory: AfterwardsMemory;
  /** Why it has ended; messages set it. */
  ended: string | null;
  now: boolean;
}

/** A year of weekly checks; then the history begins anew. */
const CHECKS_IN_A_RUN = 50;
const NOTES_KEPT = 12;

/** Why it ended. */
export async function afterwards(input: AfterwardsRun): Promise<string> {
  const state = openInput(input, isAfterwardsInput, openState);
  const { list } = input.run;
  const { deployment, environment } = input.run.rollout;
  const messages = openMessages(state.progress, {
    work: (signed) => answer(input, signed, state),
    sift: () => sifter(deployment, environment, input.timing),
    dropped: () => (state.progress.dropped = (state.progress.dropped ?? 0) + 1),
    texts: afterwardsTexts,
  });
  for (let checks = 0; state.ended === null; checks += 1) {
    if (input.earlier === undefined || checks > 0) {
      state.progress.waiting = [{ kind: 'check', environment }];
      show(state.progress, state.lastSent);
      await checkOnce(input, state);
    }
    state.progress.waiting = [{ kind: 'next-check', environment }];
    show(state.progress, state.lastSent);
    state.now = false;
    if (state.ended === null)
      await condition(() => state.ended !== null || state.now, list.environment.afterwards!.everyMs);
    await messages.settled();
    if (checks === CHECKS_IN_A_RUN && state.ended === null) {
      const { number, memory, progress } = state;
      return continueAsNew<typeof afterwards>({ ...input, earlier: { number, memory, progress } });
    }
  }
  await messages.settled();
  return end(state, state.ended);
}

/** State first, then all handlers, before anything is awaited. */
function openState({ run, earlier }: AfterwardsRun): State {
  const { list, rollout } = run;
  const { deployment, environment, service } = rollout;
  const title = `${list.service} in ${environment}, after ${deployment}`;
  const progress =
    earlier?.progress ?? newProgress({ title, deployment, of: 'environment', phase: 'afterwards' }, []);
  setHandler(progressQuery, () => progress, {
    description: 'When it was checked last, what was read, and what is wrong',
  });
  return {
    progress,
    lastSent: { of: { service, environment } },
    number: earlier?.number ?? 0,
    memory: earlier?.memory ?? { since: {}, counters: {} },
    ended: null,
    now: false,
  };
}

/**
 * A worker that can read nothing keeps nobody from ending it; why nothing was read is noted, and the next
 * check comes all the same.
 */
async function checkOnce({ run, timing }: AfterwardsRun, state: State): Promise<void> {
  const { rollout } = run;
  const { number, memory: before } = state;
  const check = observeActivities(rollout.environment, `check ${number + 1}`, timing);
  try {
    const called = await runUntil(
      () => state.ended !== null,
      () => check.checkAfterwards({ rollout, number, before }),
    );
    note(state.progress, called);
    if ('failed' in called) return;
    state.memory = called.ok.memory;
    if (called.ok.is === 'read') state.number += 1;
    if (called.ok.is === 'superseded') state.ended ??= `superseded: ${called.ok.why}`;
  } catch (error) {
    if (!isCancellation(error) || CancellationScope.current().consideredCancelled) throw error;
  }
}

function note(progress: Progress, called: Called<AfterwardsResult>): void {
  const wrong = 'failed' in called || called.ok.troubles.length > 0;
  progress.health = wrong ? 'troubled' : 'good';
  progress.notes.splice(
    0,
    progress.notes.length,
    ...[...progress.notes, sentence(called)].slice(-NOTES_KEPT),
  );
  progress.metrics = 'failed' in called ? [] : called.ok.metrics;
}

function sentence(called: Called<AfterwardsResult>): string {
  if ('failed' in called) return `not checked: ${called.failed.text}`;
  const { is, at, why, troubles } = called.ok;
  return `${at}: ${is === 'read' ? troubles.join('; ') || 'nothing is wrong' : `not checked: ${why}`}`;
}

async function answer(
  { run, requester, plan, timing }: AfterwardsRun,
  signed: Signed,
  state: State,
): Promise<Answer> {
  const { deployment, environment, list } = run.rollout;
  const expect = { plan, list, commit: run.list.commit, requester };
  const verdict = await environmentActivities(
    environment,
    `${signed.message} by ${signed.person}`,
    timing,
    'verify',
  ).verify({ deployment, environment, signed, expect });
  if ('failed' in verdict) return refused(verdict.failed.text);
  if (!verdict.ok.accepted) return refused(verdict.ok.reason);
  if (signed.message === 'checkNow') {
    state.now = true;
    return { accepted: true, text: 'checking now' };
  }
  state.ended = `ended by ${signed.person}`;
  return { accepted: true, text: 'post-deployment checks have stopped' };
}

function end({ progress, lastSent }: State, why: string): string {
  progress.phase = 'ended';
  progress.health = 'ended';
  progress.waiting = [];
  progress.notes.push(why);
  show(progress, lastSent);
  return why;
}
