// One environment's whole rollout: down the list, an undo pushed before each changing step, then the soak or
// watch.
import { CancelledFailure } from '@temporalio/common';
import {
  CancellationScope,
  condition,
  isCancellation,
  ParentClosePolicy,
  patched,
  setHandler,
  startChild,
} from '@temporalio/workflow';
import { acceptedText } from '../src/core/accepted.ts';
import { ACCEPT_STORE } from '../src/core/gate.ts';
import type { Trouble } from '../src/core/matrix.ts';
import { afterwardsWorkflowId } from '../src/core/ids.ts';
import type { Receipt } from '../src/core/receipts.ts';
import type { Step } from '../src/core/step-list.ts';
import { environmentActivities, textOf } from './activities.ts';
import { afterwards } from './afterwards.ts';
import { askPerson, newAsker } from './ask-person.ts';
import { asClosed, closeEvidenceAlone, closeRollout } from './closing.ts';
import type { RolloutInput, RolloutResult } from './contract.ts';
import { decideAbout, resolve } from './decisions.ts';
import { openLosses } from './newer.ts';
import { openInput } from './open-input.ts';
import { observeUntilClosed } from './observation.ts';
import { newProgress, progressQuery, show } from './progress.ts';
import { rollBack } from './rollback.ts';
import { openInbox, type RollbackRequest } from './rollout-inbox.ts';
import { acceptedIn, type RolloutState, setWaiting, untilResumed } from './rollout-state.ts';
import { runUntil } from './run-until.ts';
import { isRolloutInput } from './shapes.ts';

/** Refusals that no repetition changes: a rollout that ends on one of them has done nothing. */
const REFUSALS = [
  'PERMIT_REFUSED',
  'NOT_PERMITTED',
  'GUARDRAIL_NOT_MET',
  'OUTSIDE_WINDOW',
  'ROLLOUT_OPEN',
  'SECOND_HOST',
];

export async function rollout(input: RolloutInput): Promise<RolloutResult> {
  const state = openInput(input, isRolloutInput, openState);
  const back = await forward(state);
  state.inbox.forwardOver = true;
  // From here nothing is cancelled any more: what was begun is undone, closed and told.
  return CancellationScope.nonCancellable(async () => {
    // Nobody enters the next environment on a soak that is being undone.
    if (back && state.soakTold && patched('void-on-the-way-back'))
      await state.inbox.notifyDeployment({
        is: 'soakVoided',
        environment: input.run.rollout.environment,
        why: back.why,
      });
    const ended = back ? await rollBack(state, back) : passed(state);
    const closing = await closeRollout(state, ended.outcome);
    const result = {
      ...asClosed(ended, closing),
      ...(state.permitRefused && { permitRefused: true as const }),
    };
    if (result.outcome === 'passed' && input.run.list.environment.afterwards) await leaveAfterwards(state);
    const { environment } = result;
    if (!(await state.inbox.notifyDeployment({ is: 'ended', environment, result })))
      await closeEvidenceAlone(state, result);
    return result;
  });
}

/** State first, then all handlers, before anything is awaited. */
function openState(input: RolloutInput): RolloutState {
  const { list, rollout: ref } = input.run;
  const progress = newProgress(
    {
      title: `${list.service} → ${ref.environment}`,
      deployment: ref.deployment,
      of: 'environment',
      phase: 'entering',
    },
    list.steps,
  );
  const asker = newAsker(async (waiting) => {
    setWaiting(state, waiting);
    await state.inbox.notifyDeployment({ is: 'waiting', environment: ref.environment, waiting });
  }, input.timing);
  const state: RolloutState = {
    input,
    inbox: openInbox(input, progress, asker),
    asker,
    progress,
    lastSent: { of: { service: ref.service, environment: ref.environment } },
    stack: [],
    passed: [],
    receipts: [],
    accepted: [],
    soak: null,
    touched: false,
    forwards: 0,
    soakTold: false,
    permitRefused: false,
  };
  setHandler(progressQuery, () => state.progress, {
    description: 'Where the rollout is: steps, and what it waits for',
  });
  openLosses(state);
  show(progress, state.lastSent);
  return state;
}

/** The way forward; null when it was walked to its end, else why it was left. */
async function forward(state: RolloutState): Promise<RollbackRequest | null> {
  try {
    return await runUntil(
      () => state.inbox.rollBack !== null,
      async () => {
        const back = await walkForward(state);
        if (back) return back;
        // An abort that has arrived in time still counts.
        await state.inbox.settled();
        if (CancellationScope.current().consideredCancelled || state.inbox.rollBack)
          throw new CancelledFailure('the way forward was left');
        return null;
      },
    );
  } catch (error) {
    if (!isCancellation(error)) throw error;
    const why = 'cancelled or terminated in Temporal: an unsigned abort';
    return state.inbox.rollBack ?? { why, fallback: null, by: null };
  }
}

async function walkForward(state: RolloutState): Promise<RollbackRequest | null> {
  const refused = await openRollout(state);
  if (refused) return refused;
  for (const step of state.input.run.list.steps) {
    const back = await walk(state, step);
    if (back) return back;
  }
  return observeUntilClosed(state);
}

/** What a permit does not open ends here; for what a person can mend on the worker, people are asked. */
async function openRollout(state: RolloutState): Promise<RollbackRequest | null> {
  const { run, permit, timing } = state.input;
  const { environment } = run.rollout;
  for (;;) {
    const called = await environmentActivities(environment, 'check the permit', timing, 'step').openRollout({
      rollout: run.rollout,
      permit,
    });
    if ('ok' in called) {
      state.receipts.push(called.ok);
      state.progress.phase = 'deploying';
      return null;
    }
    const { code, text, details } = called.failed;
    const why = `not deployed: ${text}`;
    state.permitRefused = code === 'PERMIT_REFUSED';
    if (REFUSALS.includes(code)) return { why, fallback: null, by: null };
    state.progress.notes.push(...details);
    const options = ['retry', ...(code === 'PERMIT_STORE_BEHIND' ? [ACCEPT_STORE] : []), 'stop'];
    const asked = { kind: 'decision', environment, about: why, options } as const;
    const { word, by } = await askPerson(state.asker, asked);
    if (word === 'stop') return { why: `${why}; decided: stop`, fallback: null, by };
  }
}

async function walk(state: RolloutState, step: Step): Promise<RollbackRequest | null> {
  await untilAllowed(state, step);
  // An abort came while the step before finished all the same: nothing is registered that will not run.
  if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('the way forward was left');
  if (step.undo) state.stack.push({ index: step.index, step: step.name, undo: step.undo });
  if (step.changes.includes('database')) state.touched = true;
  for (;;) {
    const attempted = await attempt(state, step);
    if (!attempted) {
      state.passed.push(step.kind);
      return null;
    }
    const decision = await decideAbout(state, attempted, `what to do about ${step.name}`);
    const summary = state.progress.lines[step.index]?.summary ?? attempted.trouble.is;
    const next = await resolve(state, decision, `${step.name}: ${summary}`);
    if (typeof next === 'object') return next;
    if (next === 'on') return null;
  }
}

/** Pause, and the earlier environment that must be closed first. */
async function untilAllowed(state: RolloutState, step: Step): Promise<void> {
  const { inbox, input } = state;
  const { environment } = input.run.rollout;
  if (inbox.paused) await untilResumed(state);
  const changes = step.changes.some((change) => change !== 'files');
  if (input.asksBeforeChange && changes && !inbox.mayProceed) {
    await inbox.notifyDeployment({ is: 'aboutToChange', environment });
    setWaiting(state, { kind: 'earlier-environment', environment });
    await condition(() => inbox.mayProceed);
  }
  setWaiting(state, null);
}

/** Runs a step once (Temporal may run it more often); a verdict other than pass, or a failure, is trouble. */
async function attempt(
  state: RolloutState,
  step: Step,
): Promise<{ readonly trouble: Trouble; readonly receipt?: Receipt } | null> {
  const { run, timing } = state.input;
  const line = state.progress.lines[step.index]!;
  line.state = 'running';
  show(state.progress, state.lastSent);
  const activities = environmentActivities(run.rollout.environment, step.name, timing, 'step');
  const called = await activities[step.kind]({
    rollout: run.rollout,
    step,
    ...(state.inbox.earlier && { earlier: state.inbox.earlier }),
  });
  const about = { step: step.name, index: step.index };
  if ('failed' in called) {
    const { text, details } = called.failed;
    Object.assign(line, { state: 'error', summary: text });
    state.progress.notes.push(`${step.name}: ${text}`, ...details);
    show(state.progress, state.lastSent);
    return { trouble: { ...about, is: 'error' } };
  }
  const receipt = called.ok;
  state.receipts.push(receipt);
  Object.assign(line, { state: receipt.verdict, summary: receipt.summary, tookMs: receipt.tookMs });
  show(state.progress, state.lastSent);
  return receipt.verdict === 'pass' ? null : { trouble: { ...about, is: receipt.verdict }, receipt };
}

/** Checks that go on when this rollout and its deployment are over. */
async function leaveAfterwards(state: RolloutState): Promise<void> {
  const { run, permit, timing } = state.input;
  const { deployment, environment, service } = run.rollout;
  await startChild(afterwards, {
    workflowId: afterwardsWorkflowId(deployment, environment),
    args: [{ run, requester: permit.start.person, plan: permit.start.body.plan, ...(timing && { timing }) }],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    staticSummary: `${service} in ${environment}, after ${deployment}`,
  }).catch((error: unknown) => state.progress.notes.push(`no post-deployment checks: ${textOf(error)}`));
}

function passed(state: RolloutState): RolloutResult {
  state.progress.phase = 'passed';
  setWaiting(state, null);
  return {
    environment: state.input.run.rollout.environment,
    outcome: 'passed',
    reason: acceptedText(state.accepted) || 'every step passed',
    receipts: state.receipts,
    ...acceptedIn(state),
    undos: [],
    differences: [],
    soak: state.soak,
  };
}
