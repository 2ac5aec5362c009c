// Recovers rollouts that were terminated or have failed: reset to a workflow task from which they can go on,
// then a signed abort.
import type { KeyObject } from 'node:crypto';
import { randomUUID } from 'node:crypto';
import { deploymentWorkflowId, type RolloutRef, rolloutWorkflowId } from '../core/ids.ts';
import { nextCommand, waitingText } from '../core/waiting.ts';
import { signMessage } from '../io/trust.ts';
import type { Bound, Signed } from '../core/messages.ts';
import type { Json } from '../core/plan/plan.ts';
import type { RolloutResult } from '../../workflows/contract.ts';
import type { Progress } from '../../workflows/progress.ts';
import type { Connected } from './connection.ts';
import { deploymentInputOf, isNotFound, startedRollouts } from './history.ts';
import { holderOf, ownRun } from './holder.ts';
import { lostCommands, resetPoint } from './reset-point.ts';
import { Problem } from './problem.ts';
import { signalRollout } from './send.ts';

export interface Recovered {
  readonly environment: string;
  readonly result: RolloutResult;
}

/** As Temporal counts what a reset leaves out. */
const SIGNALS = 1;
/** How a rollout ends that has not ended itself. */
const CUT_OFF: readonly string[] = ['TERMINATED', 'FAILED', 'TIMED_OUT'];
const MESSAGE_MS = 3_600_000;
const LOOK_MS = 2_000;

/**
 * Follows every rollout of the deployment that was terminated or has failed to its outcome. @throws Problem
 * when there is nothing to recover.
 */
export async function recover(
  connected: Connected,
  deployment: string,
  person: string,
  key: KeyObject,
  progress: (text: string) => void,
): Promise<readonly Recovered[]> {
  const { runs } = await deploymentInputOf(connected, deployment);
  const recovered: Recovered[] = [];
  for (const { rollout } of [...runs].reverse()) {
    const { environment, service } = rollout;
    const state = await rolloutState(connected, deployment, service, environment);
    if (state === 'nothing') continue;
    if (state === 'cut off') {
      progress(`${environment}: resetting the rollout`);
      const id = rolloutWorkflowId(service, environment);
      if (!(await reset(connected, id, await freeRun(connected, deployment, id)))) {
        progress(`${environment}: the rollout ended before its first task; nothing was done there`);
        recovered.push({ environment, result: await sayNothingDone(connected, deployment, environment) });
        continue;
      }
    } else progress(`${environment}: the rollout is running again`);
    const body: Bound & { readonly [key: string]: Json } = {
      deployment,
      environment,
      namespace: connected.namespace,
      nonce: randomUUID(),
      signedAt: new Date().toISOString(),
      expires: new Date(Date.now() + MESSAGE_MS).toISOString(),
      reason: 'recover',
    };
    const signed: Signed = signMessage(key, 'abort', person, body);
    await signalRollout(connected, service, signed);
    progress(`${environment}: aborting, waiting for the outcome`);
    recovered.push({ environment, result: await outcomeOf(connected, rollout) });
  }
  if (recovered.length === 0)
    throw new Problem(
      'conflict',
      `no rollout of ${deployment} was terminated or has failed`,
      `soakgate status ${deployment} shows where it is`,
    );
  return recovered;
}

/** @throws Problem when the rollback needs people: whoever recovers must answer, not wait. */
async function outcomeOf(
  { client }: Connected,
  { deployment, service, environment }: RolloutRef,
): Promise<RolloutResult> {
  const handle = client.workflow.getHandle(rolloutWorkflowId(service, environment));
  const outcome = handle.result() as Promise<RolloutResult>;
  // It may fail while something else is waited for; it is awaited in any case.
  outcome.catch(() => undefined);
  for (;;) {
    const ended = await Promise.race([
      outcome,
      new Promise<null>((wake) => setTimeout(() => wake(null), LOOK_MS)),
    ]);
    if (ended) return ended;
    const progress = await handle.query<Progress>('progress').catch(() => null);
    const asked = progress?.waiting.find((waiting) => 'options' in waiting);
    if (!asked) continue;
    throw new Problem(
      'pending',
      `the rollback in ${environment} waits for ${waitingText(asked)}`,
      nextCommand([asked], deployment),
      { details: progress?.notes.slice(-5) ?? [] },
    );
  }
}

/**
 * A reset ends the current run of a workflow id, so it must be this deployment's; and a healthy rollout is
 * never aborted by a recovery.
 */
async function rolloutState(
  connected: Connected,
  deployment: string,
  service: string,
  environment: string,
): Promise<'nothing' | 'orphaned' | 'cut off'> {
  const id = rolloutWorkflowId(service, environment);
  const { workflow } = connected.client;
  const runId = await ownRun(connected, deployment, id);
  if (runId === null) return 'nothing';
  const description = await workflow.getHandle(id, runId).describe();
  if (CUT_OFF.includes(description.status.name)) {
    // Its deployment has ended since, so it was told how: nothing is left to do.
    const told = await workflow.getHandle(deploymentWorkflowId(deployment)).describe();
    return told.status.name === 'COMPLETED' ? 'nothing' : 'cut off';
  }
  if (description.status.name !== 'RUNNING') return 'nothing';
  const parent = await workflow.getHandle(deploymentWorkflowId(deployment)).describe();
  const resetBefore = (await startedRollouts(connected, deployment)).get(id) !== description.runId;
  return parent.status.name !== 'RUNNING' || resetBefore ? 'orphaned' : 'nothing';
}

/**
 * The deployment's own run, to be reset: a reset ends whatever runs under the id. @throws Problem where that is
 * another's.
 */
async function freeRun(connected: Connected, deployment: string, id: string): Promise<string> {
  const holder = await holderOf(connected, id, deployment);
  if (holder)
    throw new Problem(
      'conflict',
      `a rollout of ${holder.deployment ?? 'no deployment'} runs in its place now`,
      `soakgate status ${deployment} shows what frees it`,
    );
  return (await ownRun(connected, deployment, id))!;
}

/**
 * Replay rebuilds the undo stack up to the task that is reset to. What was sent after it is sent again as far
 * as it can be read: a reset
 * repeats all signals or none, and one of them may be why the rollout failed. False when there is no task to
 * reset to.
 */
async function reset({ client, namespace }: Connected, workflowId: string, runId: string): Promise<boolean> {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const point = resetPoint(events ?? []);
  if (point === null) return false;
  await client.workflowService.resetWorkflowExecution({
    namespace,
    workflowExecution: { workflowId, runId },
    reason: 'soakgate recover',
    workflowTaskFinishEventId: point.eventId!,
    resetReapplyExcludeTypes: [SIGNALS],
    requestId: randomUUID(),
  });
  for (const command of lostCommands(events ?? [], point))
    await client.workflow.getHandle(workflowId).signal('command', command);
  return true;
}

/**
 * A rollout that has not begun cannot tell its deployment so; the deployment closes the evidence with what
 * there is.
 */
async function sayNothingDone(
  { client }: Connected,
  deployment: string,
  environment: string,
): Promise<RolloutResult> {
  const result: RolloutResult = {
    environment,
    outcome: 'failed',
    reason: 'the rollout was ended from outside before its first task; nothing was done',
    receipts: [],
    undos: [],
    differences: [],
    soak: null,
  };
  await client.workflow
    .getHandle(deploymentWorkflowId(deployment))
    .signal('fact', { is: 'ended', environment, result })
    .catch((error: unknown) => {
      // The deployment was ended, too: there is nobody to tell.
      if (!isNotFound(error)) throw error;
    });
  return result;
}
