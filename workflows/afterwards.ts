// What is still looked at when a deployment is over: now and then, without end, until people end it or another release serves.
import { CancellationScope, condition, continueAsNew, setHandler } from '@temporalio/workflow';
import type { AfterwardsMemory, AfterwardsResult } from '../src/core/activities.ts';
import type { Signed } from '../src/core/messages.ts';
import type { EnvironmentRun, Timing } from './contract.ts';
import { failureText } from './failure-text.ts';
import { type Answer, afterwardsTexts, openMessages } from './messages.ts';
import { type Progress, progressQuery, show } from './progress.ts';
import { environmentActivities, observeActivities } from './activities.ts';

export interface AfterwardsRun {
  readonly run: EnvironmentRun;
  /** Who requested the deployment, and which plan it was. */
  readonly requester: string;
  readonly plan: string;
  readonly timing?: Timing;
  /** Of an earlier run of this workflow. */
  readonly looked?: {
    readonly number: number;
    readonly memory: AfterwardsMemory;
    readonly progress: Progress;
  };
}

/** What messages change. */
interface State {
  ended: string | null;
  now: boolean;
  /** The look under way. */
  looking: CancellationScope | null;
}

/** A year of weekly looks; then the history begins anew. */
const LOOKS_IN_A_RUN = 50;
const NOTES_KEPT = 12;

/** Why it ended. */
export async function afterwards(input: AfterwardsRun): Promise<string> {
  const { list, rollout } = input.run;
  const { everyMs } = list.environment.afterwards!;
  const progress: Progress = input.looked?.progress ?? {
    title: `${list.service} in ${rollout.environment}, after ${rollout.deployment}`,
    phase: 'afterwards',
    health: 'good',
    waitingFor: null,
    next: null,
    notes: [],
    lines: [],
  };
  const lastSent = { of: { service: rollout.service, environment: rollout.environment } };
  const state: State = { ended: null, now: false, looking: null };
  setHandler(progressQuery, () => progress, {
    description: 'When it was looked last, what was read, and what is wrong',
  });
  const messages = openMessages((signed) => answer(input, signed, state), afterwardsTexts);
  let { number, memory }: { number: number; memory: AfterwardsMemory } = input.looked ?? {
    number: 0,
    memory: { since: {}, counters: {} },
  };
  const next = `soakgate stop-checks ${rollout.deployment} ${rollout.environment}`;
  for (let looks = 0; state.ended === null; looks += 1) {
    if (input.looked === undefined || looks > 0) {
      Object.assign(progress, { waitingFor: `a look by the worker of ${rollout.environment}`, next });
      show(progress, lastSent);
      const result = await lookOnce(input, number, memory, state);
      if (result === null) continue;
      if (typeof result !== 'string') memory = result.memory;
      tell(progress, result);
      if (typeof result !== 'string' && result.is === 'superseded')
        state.ended ??= `superseded: ${result.why}`;
      number += typeof result !== 'string' && result.is === 'read' ? 1 : 0;
    }
    Object.assign(progress, { waitingFor: null, next });
    show(progress, lastSent);
    state.now = false;
    if (state.ended === null) await condition(() => state.ended !== null || state.now, everyMs);
    await messages.settled();
    if (looks === LOOKS_IN_A_RUN)
      return continueAsNew<typeof afterwards>({ ...input, looked: { number, memory, progress } });
  }
  await messages.settled();
  return end(progress, lastSent, state.ended);
}

/** The look, or why there was none (the next one comes all the same); null when people ended it meanwhile. */
async function lookOnce(
  input: AfterwardsRun,
  number: number,
  before: AfterwardsMemory,
  state: State,
): Promise<AfterwardsResult | string | null> {
  const { rollout } = input.run;
  const activities = observeActivities(
    rollout.environment,
    `look ${number + 1}`,
    input.timing?.observeHeartbeatMs ?? 30_000,
  );
  state.looking = new CancellationScope({ cancellable: true });
  try {
    return await state.looking.run(() => activities.checkAfterwards({ rollout, number, before }));
  } catch (error) {
    return state.ended === null ? failureText(error) : null;
  } finally {
    state.looking = null;
  }
}

function tell(progress: Progress, result: AfterwardsResult | string): void {
  const wrong = typeof result === 'string' || result.troubles.length > 0;
  progress.health = wrong ? 'troubled' : 'good';
  const notes = [...progress.notes.filter((note) => !note.startsWith('reading ')), sentence(result)].slice(
    -NOTES_KEPT,
  );
  const metrics = typeof result === 'string' ? [] : result.metrics.map((line) => `reading ${line}`);
  progress.notes.splice(0, progress.notes.length, ...notes, ...metrics);
}

function sentence(result: AfterwardsResult | string): string {
  if (typeof result === 'string') return `not looked: ${result}`;
  return `${result.at}: ${result.is === 'read' ? result.troubles.join('; ') || 'nothing is wrong' : `not looked: ${result.why}`}`;
}

async function answer(
  { run, requester, plan }: AfterwardsRun,
  signed: Signed,
  state: State,
): Promise<Answer> {
  const { deployment, environment, list } = run.rollout;
  const expect = { plan, list, commit: run.list.commit, requester };
  const verdict = await environmentActivities(
    environment,
    `${signed.message} by ${signed.person}`,
    15_000,
  ).verify({
    deployment,
    environment,
    signed,
    expect,
  });
  if (!verdict.accepted) return { accepted: false, text: `refused: ${verdict.reason}` };
  if (signed.message === 'checkNow') {
    state.now = true;
    return { accepted: true, text: 'it is looked now' };
  }
  state.ended = `ended by ${signed.person}`;
  // A worker that can read nothing keeps nobody from ending it.
  state.looking?.cancel();
  return { accepted: true, text: 'ended: stop the post-deployment checks' };
}

function end(progress: Progress, lastSent: Parameters<typeof show>[1], why: string): string {
  Object.assign(progress, { phase: 'ended', waitingFor: null, next: null, health: 'ended' });
  progress.notes.push(why);
  show(progress, lastSent);
  return why;
}
