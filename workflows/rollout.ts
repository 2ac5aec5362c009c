// One environment's whole stay: down the list, an undo pushed before each changing step, then the soak or watch.
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
import { openDesk } from './desk.ts';
import { afterwards } from './afterwards.ts';
import { type Progress, progressQuery, show } from './progress.ts';
import { controlActivities, environmentActivities } from './proxies.ts';
import { rollBack } from './rollback.ts';
import { observeUntilClosed } from './soak.ts';
import { failureDetails, failureText } from './failure-text.ts';
import { resolve, type Stay, waiting, RollbackRequested } from './stay.ts';

export async function rollout(input: RolloutInput): Promise<RolloutResult> {
  const stay = openStay(input);
  const back = await forward(stay);
  // From here nothing is cancelled any more: what was begun is undone, closed and told.
  return CancellationScope.nonCancellable(async () => {
    const result = back ? await rollBack(stay, back) : passed(stay);
    // `stuck` is closed, too: a person has signed `leave`, and the next preflight says so.
    waiting(stay, 'its closing: retried until the database and the worker answer', null);
    await environmentActivities(input.run.rollout.environment, 'close the rollout', stay.heartbeatMs, 'close')
      .closeRollout({ rollout: input.run.rollout, outcome: result.outcome })
      // Refused for good: the deployment must hear of the outcome all the same.
      .catch((error: unknown) => stay.progress.notes.push(`not closed: ${failureText(error)}`));
    waiting(stay, null, null);
    if (result.outcome === 'passed' && input.run.list.environment.afterwards) await leaveAfterwards(stay);
    const told = await stay.desk.tell({ is: 'ended', environment: result.environment, result });
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
async function leaveAfterwards(stay: Stay): Promise<void> {
  const { run, permit, timing } = stay.input;
  const { deployment, environment, service } = run.rollout;
  await startChild(afterwards, {
    workflowId: afterwardsWorkflowId(deployment, environment),
    args: [{ run, requester: permit.start.person, plan: permit.start.body.plan, ...(timing && { timing }) }],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    staticSummary: `${service} in ${environment}, after ${deployment}`,
  }).catch((error: unknown) => stay.progress.notes.push(`no afterwards: ${failureText(error)}`));
}

/** The way forward; null when it was walked to its end, else why it was left. */
async function forward(stay: Stay): Promise<RollbackRequested | null> {
  const scope = new CancellationScope({ cancellable: true });
  try {
    await scope.run(async () => {
      stay.desk.interrupt = () => {
        if (stay.desk.rollBack) scope.cancel();
      };
      await enter(stay);
      for (const step of stay.input.run.list.steps) await walk(stay, step);
      await observeUntilClosed(stay, scope);
      // An abort that has arrived in time still counts.
      await stay.desk.settled();
      if (scope.consideredCancelled) throw new CancelledFailure('the way forward was left');
    });
    return null;
  } catch (error) {
    if (error instanceof RollbackRequested) return error;
    if (!isCancellation(error)) throw error;
    const wanted = stay.desk.rollBack;
    return new RollbackRequested(
      wanted?.why ?? 'cancelled or terminated in Temporal: an unsigned abort',
      wanted?.fallback ?? null,
      wanted?.by ?? null,
    );
  }
}

function openStay(input: RolloutInput): Stay {
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
  const stay: Stay = {
    input,
    desk: openDesk(input),
    progress,
    shown: { of: { service: ref.service, environment: ref.environment } },
    stack: [],
    passed: [],
    receipts: [],
    heartbeatMs: input.timing?.heartbeatMs ?? 15_000,
    soak: null,
    touched: false,
    forwards: 0,
    meanwhile: null,
  };
  setHandler(progressQuery, () => stay.progress, {
    description: 'Where the rollout is: steps, waiting reason, next command',
  });
  show(progress, stay.shown);
  return stay;
}

async function enter(stay: Stay): Promise<void> {
  const { run, permit } = stay.input;
  try {
    stay.receipts.push(
      await environmentActivities(run.rollout.environment, 'check the permit', stay.heartbeatMs).enter({
        rollout: run.rollout,
        permit,
      }),
    );
  } catch (error) {
    if (isCancellation(error)) throw error;
    throw new RollbackRequested(`not entered: ${failureText(error)}`, null);
  }
  stay.progress.phase = 'deploying';
}

async function walk(stay: Stay, step: Step): Promise<void> {
  await untilAllowed(stay, step);
  // An abort came while the step before finished all the same: nothing is registered that will not run.
  if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('the way forward was left');
  if (step.undo) stay.stack.push({ index: step.index, step: step.name, undo: step.undo });
  if (step.changes.includes('database')) stay.touched = true;
  for (;;) {
    const trouble = await attempt(stay, step);
    if (!trouble) {
      stay.passed.push(step.kind);
      break;
    }
    const decision =
      peopleDecide(step, stay.receipts.at(-1)) ??
      (await controlActivities(`what to do about ${step.name}`).decide({
        list: stay.input.run.list,
        trouble,
      }));
    const again = await resolve(
      stay,
      decision,
      `${step.name}: ${stay.progress.lines[step.index]?.summary ?? trouble.is}`,
    );
    if (!again) break;
  }
}

/** Pause, and the earlier environment that must be closed first. */
async function untilAllowed(stay: Stay, step: Step): Promise<void> {
  const { desk, input } = stay;
  if (desk.paused) {
    waiting(
      stay,
      'resume',
      `soakgate resume ${stay.input.run.rollout.deployment} ${stay.input.run.rollout.environment}`,
    );
    await condition(() => !desk.paused);
  }
  const changes = step.changes.some((change) => change !== 'files');
  if (input.asksBeforeChange && changes && !desk.mayProceed) {
    await desk.tell({ is: 'aboutToChange', environment: input.run.rollout.environment });
    waiting(stay, 'the earlier environment to be closed', null);
    await condition(() => desk.mayProceed);
  }
  waiting(stay, null, null);
}

/** Runs a step once (Temporal may run it more often); a verdict other than pass, or a failure, is trouble. */
async function attempt(stay: Stay, step: Step): Promise<Trouble | null> {
  const line = stay.progress.lines[step.index]!;
  line.state = 'running';
  show(stay.progress, stay.shown);
  const activities = environmentActivities(stay.input.run.rollout.environment, step.name, stay.heartbeatMs);
  try {
    const receipt = await activities[step.kind]({ rollout: stay.input.run.rollout, step });
    stay.receipts.push(receipt);
    Object.assign(line, { state: receipt.verdict, summary: receipt.summary, tookMs: receipt.tookMs });
    return receipt.verdict === 'pass' ? null : { step: step.name, is: receipt.verdict, index: step.index };
  } catch (error) {
    if (isCancellation(error)) throw error;
    Object.assign(line, { state: 'error', summary: failureText(error) });
    stay.progress.notes.push(`${step.name}: ${failureText(error)}`, ...failureDetails(error));
    return { step: step.name, is: 'error', index: step.index };
  } finally {
    show(stay.progress, stay.shown);
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

function passed(stay: Stay): RolloutResult {
  stay.progress.phase = 'passed';
  waiting(stay, null, null);
  return {
    environment: stay.input.run.rollout.environment,
    outcome: 'passed',
    reason: 'every step passed',
    receipts: stay.receipts,
    undos: [],
    differences: [],
    soak: stay.soak,
  };
}
