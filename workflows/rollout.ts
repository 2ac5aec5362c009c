// One environment's whole state: down the list, an undo pushed before each changing step, then the soak or watch.
import { CancelledFailure } from '@temporalio/common';
import {
  CancellationScope,
  condition,
  isCancellation,
  ParentClosePolicy,
  setHandler,
  startChild,
} from '@temporalio/workflow';
import type { Decision, Trouble } from '../src/core/matrix.ts';
import { deploymentWorkflowId, afterwardsWorkflowId, rolloutWorkflowId } from '../src/core/names.ts';
import type { Receipt } from '../src/core/receipts.ts';
import type { Step } from '../src/core/step-list.ts';
import type { RolloutInput, RolloutResult } from './contract.ts';
import { openInbox } from './rollout-inbox.ts';
import { afterwards } from './afterwards.ts';
import { type Progress, progressQuery, show } from './progress.ts';
import { controlActivities, environmentActivities } from './activities.ts';
import { rollBack } from './rollback.ts';
import { observeUntilClosed } from './observation.ts';
import { failureDetails, failureText } from './failure-text.ts';
import { resolve, type RolloutState, setWaiting, RollbackRequested } from './rollout-state.ts';

export async function rollout(input: RolloutInput): Promise<RolloutResult> {
  const state = openState(input);
  const back = await forward(state);
  // From here nothing is cancelled any more: what was begun is undone, closed and told.
  return CancellationScope.nonCancellable(async () => {
    const result = back ? await rollBack(state, back) : passed(state);
    // `stuck` is closed, too: a person has signed `leave`, and the next preflight says so.
    setWaiting(state, 'its closing: retried until the database and the worker answer', null);
    await environmentActivities(
      input.run.rollout.environment,
      'close the rollout',
      state.heartbeatMs,
      'close',
    )
      .closeRollout({ rollout: input.run.rollout, outcome: result.outcome })
      // Refused for good: the deployment must hear of the outcome all the same.
      .catch((error: unknown) => state.progress.notes.push(`not closed: ${failureText(error)}`));
    setWaiting(state, null, null);
    if (result.outcome === 'passed' && input.run.list.environment.afterwards) await leaveAfterwards(state);
    const told = await state.inbox.notifyDeployment({ is: 'ended', environment: result.environment, result });
    // The deployment is gone (terminated, or this run was reset): the evidence is closed from here.
    if (!told)
      await controlActivities('close the evidence without the deployment').closeEvidence({
        deployment: input.run.rollout.deployment,
        outcome: result.outcome,
        start: input.permit.start,
        workflows: [
          deploymentWorkflowId(input.run.rollout.deployment),
          rolloutWorkflowId(input.run.rollout.service, result.environment),
        ],
        environments: [result],
        approvals: [],
      });
    return result;
  });
}

/** Looks that go on when this rollout and its deployment are over. */
async function leaveAfterwards(state: RolloutState): Promise<void> {
  const { run, permit, timing } = state.input;
  const { deployment, environment, service } = run.rollout;
  await startChild(afterwards, {
    workflowId: afterwardsWorkflowId(deployment, environment),
    args: [{ run, requester: permit.start.person, plan: permit.start.body.plan, ...(timing && { timing }) }],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    staticSummary: `${service} in ${environment}, after ${deployment}`,
  }).catch((error: unknown) => state.progress.notes.push(`no afterwards: ${failureText(error)}`));
}

/** The way forward; null when it was walked to its end, else why it was left. */
async function forward(state: RolloutState): Promise<RollbackRequested | null> {
  const scope = new CancellationScope({ cancellable: true });
  try {
    await scope.run(async () => {
      state.inbox.interrupt = () => {
        if (state.inbox.rollBack) scope.cancel();
      };
      await openRollout(state);
      for (const step of state.input.run.list.steps) await walk(state, step);
      await observeUntilClosed(state, scope);
      // An abort that has arrived in time still counts.
      await state.inbox.settled();
      if (scope.consideredCancelled) throw new CancelledFailure('the way forward was left');
    });
    return null;
  } catch (error) {
    if (error instanceof RollbackRequested) return error;
    if (!isCancellation(error)) throw error;
    const wanted = state.inbox.rollBack;
    return new RollbackRequested(
      wanted?.why ?? 'cancelled or terminated in Temporal: an unsigned abort',
      wanted?.fallback ?? null,
      wanted?.by ?? null,
    );
  }
}

function openState(input: RolloutInput): RolloutState {
  const { list, rollout: ref } = input.run;
  const progress: Progress = {
    title: `${list.service} → ${ref.environment}`,
    phase: 'entering',
    health: 'good',
    waitingFor: null,
    next: null,
    notes: [],
    lines: list.steps.map((step) => ({
      name: step.name,
      kind: step.kind,
      state: 'waiting',
      summary: '',
      tookMs: null,
    })),
  };
  const state: RolloutState = {
    input,
    inbox: openInbox(input),
    progress,
    lastSent: { of: { service: ref.service, environment: ref.environment } },
    stack: [],
    passed: [],
    receipts: [],
    heartbeatMs: input.timing?.heartbeatMs ?? 15_000,
    soak: null,
    touched: false,
    forwards: 0,
    meanwhile: null,
  };
  setHandler(progressQuery, () => state.progress, {
    description: 'Where the rollout is: steps, waiting reason, next command',
  });
  show(progress, state.lastSent);
  return state;
}

async function openRollout(state: RolloutState): Promise<void> {
  const { run, permit } = state.input;
  try {
    state.receipts.push(
      await environmentActivities(run.rollout.environment, 'check the permit', state.heartbeatMs).openRollout(
        {
          rollout: run.rollout,
          permit,
        },
      ),
    );
  } catch (error) {
    if (isCancellation(error)) throw error;
    throw new RollbackRequested(`not entered: ${failureText(error)}`, null);
  }
  state.progress.phase = 'deploying';
}

async function walk(state: RolloutState, step: Step): Promise<void> {
  await untilAllowed(state, step);
  // An abort came while the step before finished all the same: nothing is registered that will not run.
  if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('the way forward was left');
  if (step.undo) state.stack.push({ index: step.index, step: step.name, undo: step.undo });
  if (step.changes.includes('database')) state.touched = true;
  for (;;) {
    const trouble = await attempt(state, step);
    if (!trouble) {
      state.passed.push(step.kind);
      break;
    }
    const decision =
      peopleDecide(step, state.receipts.at(-1)) ??
      (await controlActivities(`what to do about ${step.name}`).decide({
        list: state.input.run.list,
        trouble,
      }));
    const again = await resolve(
      state,
      decision,
      `${step.name}: ${state.progress.lines[step.index]?.summary ?? trouble.is}`,
    );
    if (!again) break;
  }
}

/** Pause, and the earlier environment that must be closed first. */
async function untilAllowed(state: RolloutState, step: Step): Promise<void> {
  const { inbox, input } = state;
  if (inbox.paused) {
    setWaiting(
      state,
      'resume',
      `soakgate resume ${state.input.run.rollout.deployment} ${state.input.run.rollout.environment}`,
    );
    await condition(() => !inbox.paused);
  }
  const changes = step.changes.some((change) => change !== 'files');
  if (input.asksBeforeChange && changes && !inbox.mayProceed) {
    await inbox.notifyDeployment({ is: 'aboutToChange', environment: input.run.rollout.environment });
    setWaiting(state, 'the earlier environment to be closed', null);
    await condition(() => inbox.mayProceed);
  }
  setWaiting(state, null, null);
}

/** Runs a step once (Temporal may run it more often); a verdict other than pass, or a failure, is trouble. */
async function attempt(state: RolloutState, step: Step): Promise<Trouble | null> {
  const line = state.progress.lines[step.index]!;
  line.state = 'running';
  show(state.progress, state.lastSent);
  const activities = environmentActivities(state.input.run.rollout.environment, step.name, state.heartbeatMs);
  try {
    const receipt = await activities[step.kind]({ rollout: state.input.run.rollout, step });
    state.receipts.push(receipt);
    Object.assign(line, { state: receipt.verdict, summary: receipt.summary, tookMs: receipt.tookMs });
    return receipt.verdict === 'pass' ? null : { step: step.name, is: receipt.verdict, index: step.index };
  } catch (error) {
    if (isCancellation(error)) throw error;
    Object.assign(line, { state: 'error', summary: failureText(error) });
    state.progress.notes.push(`${step.name}: ${failureText(error)}`, ...failureDetails(error));
    return { step: step.name, is: 'error', index: step.index };
  } finally {
    show(state.progress, state.lastSent);
  }
}

/** Rows that people must decide are asked of people, whatever the matrix says. */
function peopleDecide(step: Step, receipt: Receipt | undefined): Decision | null {
  if (
    step.kind !== 'checkData' ||
    receipt?.kind !== 'checkData' ||
    Number(receipt.figures?.['people'] ?? 0) === 0 ||
    Number(receipt.figures?.['none'] ?? 0) > 0
  )
    return null;
  const words = Object.values((step.spec['peopleDecide'] ?? {}) as Record<string, readonly string[]>).flat();
  return {
    do: 'ask',
    ask: [...new Set([...words, 'stop'])],
    severity: 'medium',
    row: 'people decide about these rows',
  };
}

function passed(state: RolloutState): RolloutResult {
  state.progress.phase = 'passed';
  setWaiting(state, null, null);
  return {
    environment: state.input.run.rollout.environment,
    outcome: 'passed',
    reason: 'every step passed',
    receipts: state.receipts,
    undos: [],
    differences: [],
    soak: state.soak,
  };
}
