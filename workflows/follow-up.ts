// What is still looked at when a deployment is over: now and then, without end, until people end it or another release serves.
import { condition, continueAsNew, setHandler } from '@temporalio/workflow';
import type { LookMemory, LookResult } from '../src/core/activities.ts';
import type { Signed } from '../src/core/messages.ts';
import type { EnvironmentRun, Timing } from './contract.ts';
import { failureText } from './failure-text.ts';
import { type Answer, followUpTexts, openMailbox } from './mailbox.ts';
import { type Progress, progressQuery, show } from './progress.ts';
import { environmentActivities, observeActivities } from './proxies.ts';

export interface FollowUpInput {
  readonly run: EnvironmentRun;
  /** Who requested the deployment, and which plan it was. */
  readonly requester: string;
  readonly plan: string;
  readonly timing?: Timing;
  /** Of an earlier run of this workflow. */
  readonly looked?: { readonly number: number; readonly memory: LookMemory; readonly progress: Progress };
}

/** A year of weekly looks; then the history begins anew. */
const LOOKS_IN_A_RUN = 50;
const NOTES_KEPT = 12;

/** Why it ended. */
export async function followUp(input: FollowUpInput): Promise<string> {
  const { list, rollout } = input.run;
  const { everyMs } = list.environment.followUp!;
  const progress: Progress = input.looked?.progress ?? {
    title: `${list.service} in ${rollout.environment}, after ${rollout.deployment}`,
    phase: 'follow-up',
    health: 'good',
    waitingFor: null,
    next: null,
    notes: [],
    lines: [],
  };
  const shown = { of: { service: rollout.service, environment: rollout.environment } };
  const state = { ended: null as string | null, now: false, busy: 0 };
  setHandler(progressQuery, () => progress, { description: 'When it was looked last, what was read, and what is wrong' });
  openMailbox(async (signed) => {
    state.busy += 1;
    try {
      return await answer(input, signed, state);
    } finally {
      state.busy -= 1;
    }
  }, followUpTexts);
  let { number, memory }: { number: number; memory: LookMemory } = input.looked ?? { number: 0, memory: { since: {}, counters: {} } };
  for (let looks = 0; ; looks += 1) {
    if (input.looked === undefined || looks > 0) {
      const result = await lookOnce(input, number, memory);
      if (typeof result !== 'string') memory = result.memory;
      tell(progress, result);
      if (typeof result !== 'string' && result.is === 'superseded') state.ended ??= `superseded: ${result.why}`;
      number += typeof result !== 'string' && result.is === 'read' ? 1 : 0;
    }
    progress.next = `soakgate end-follow-up ${rollout.deployment} ${rollout.environment}`;
    show(progress, shown);
    state.now = false;
    if (state.ended === null) await condition(() => state.ended !== null || state.now, everyMs);
    await condition(() => state.busy === 0);
    if (state.ended !== null) return end(progress, shown, state.ended);
    if (looks === LOOKS_IN_A_RUN) return continueAsNew<typeof followUp>({ ...input, looked: { number, memory, progress } });
  }
}

/** The look, or why there was none; the next one comes all the same. */
async function lookOnce(input: FollowUpInput, number: number, before: LookMemory): Promise<LookResult | string> {
  const { rollout } = input.run;
  const activities = observeActivities(rollout.environment, `look ${number + 1}`, input.timing?.observeHeartbeatMs ?? 30_000);
  return activities.look({ rollout, number, before }).catch((error: unknown) => failureText(error));
}

function tell(progress: Progress, result: LookResult | string): void {
  const wrong = typeof result === 'string' || result.troubles.length > 0;
  progress.health = wrong ? 'troubled' : 'good';
  const notes = [...progress.notes.filter((note) => !note.startsWith('reading ')), sentence(result)].slice(-NOTES_KEPT);
  const readings = typeof result === 'string' ? [] : result.readings.map((line) => `reading ${line}`);
  progress.notes.splice(0, progress.notes.length, ...notes, ...readings);
}

function sentence(result: LookResult | string): string {
  if (typeof result === 'string') return `not looked: ${result}`;
  return `${result.at}: ${result.is === 'read' ? result.troubles.join('; ') || 'nothing is wrong' : `not looked: ${result.why}`}`;
}

async function answer({ run, requester, plan }: FollowUpInput, signed: Signed, state: { ended: string | null; now: boolean }): Promise<Answer> {
  const { deployment, environment, list } = run.rollout;
  const expect = { plan, list, commit: run.list.commit, requester };
  const verdict = await environmentActivities(environment, `${signed.message} by ${signed.person}`, 15_000).verify({
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
  return { accepted: true, text: 'ended: it is not looked any more' };
}

function end(progress: Progress, shown: Parameters<typeof show>[1], why: string): string {
  Object.assign(progress, { phase: 'ended', next: null, health: 'ended' });
  progress.notes.push(why);
  show(progress, shown);
  return why;
}
