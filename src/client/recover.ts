// Recovers rollouts that were terminated: reset to the last completed workflow task, then a signed abort.
import type { KeyObject } from 'node:crypto';
import { randomUUID } from 'node:crypto';
import { deploymentWorkflowId, rolloutWorkflowId } from '../core/names.ts';
import { signMessage } from '../io/trust.ts';
import type { Bound, Signed } from '../core/messages.ts';
import type { Json } from '../core/plan/plan.ts';
import type { RolloutResult } from '../../workflows/contract.ts';
import type { Connected } from './connection.ts';
import { deploymentInputOf, isNotFound, rolloutInputOf, startedRollouts } from './history.ts';
import { Problem } from './problem.ts';
import { signalRollout } from './send.ts';

export interface Recovered {
  readonly environment: string;
  readonly result: RolloutResult;
}

const COMPLETED = 'EVENT_TYPE_WORKFLOW_TASK_COMPLETED';
const MESSAGE_MS = 3_600_000;

/** Follows every terminated rollout of the deployment to its outcome. @throws Problem when there is nothing to recover. */
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
    progress(
      state === 'terminated'
        ? `${environment}: resetting the terminated rollout`
        : `${environment}: the rollout is running again`,
    );
    if (state === 'terminated') await reset(connected, rolloutWorkflowId(service, environment));
    const body: Bound & { readonly [key: string]: Json } = {
      deployment,
      environment,
      nonce: randomUUID(),
      expires: new Date(Date.now() + MESSAGE_MS).toISOString(),
      reason: 'recover',
    };
    const signed: Signed = signMessage(key, 'abort', person, body);
    await signalRollout(connected, service, signed);
    progress(`${environment}: aborting, waiting for the outcome`);
    const result = (await connected.client.workflow
      .getHandle(rolloutWorkflowId(service, environment))
      .result()) as RolloutResult;
    recovered.push({ environment, result });
  }
  if (recovered.length === 0)
    throw new Problem(
      'conflict',
      `no rollout of ${deployment} was terminated`,
      `soakgate status ${deployment} shows where it is`,
    );
  return recovered;
}

/** A reset ends the current run of a workflow id, so it must be this deployment's; and a healthy rollout is never aborted by a recovery. */
async function rolloutState(
  connected: Connected,
  deployment: string,
  service: string,
  environment: string,
): Promise<'nothing' | 'orphaned' | 'terminated'> {
  const id = rolloutWorkflowId(service, environment);
  const { workflow } = connected.client;
  const description = await workflow
    .getHandle(id)
    .describe()
    .catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
  if (!description) return 'nothing';
  const input = await rolloutInputOf(connected, id, description.runId);
  if (input.run.rollout.deployment !== deployment) return 'nothing';
  if (description.status.name === 'TERMINATED') return 'terminated';
  if (description.status.name !== 'RUNNING') return 'nothing';
  const parent = await workflow.getHandle(deploymentWorkflowId(deployment)).describe();
  const resetBefore = (await startedRollouts(connected, deployment)).get(id) !== description.runId;
  return parent.status.name !== 'RUNNING' || resetBefore ? 'orphaned' : 'nothing';
}

/** Replay rebuilds the undo stack up to the last completed workflow task. */
async function reset({ client, namespace }: Connected, workflowId: string): Promise<void> {
  const handle = client.workflow.getHandle(workflowId);
  const description = await handle.describe();
  const history = await client.workflow.getHandle(workflowId, description.runId).fetchHistory();
  const last = (history.events ?? []).findLast(
    (event) => String(event.eventType) === COMPLETED || Number(event.eventType) === 7,
  );
  if (!last?.eventId) throw new Error(`workflow ${workflowId} has no completed workflow task to reset to`);
  await client.workflowService.resetWorkflowExecution({
    namespace,
    workflowExecution: { workflowId, runId: description.runId },
    reason: 'soakgate recover',
    workflowTaskFinishEventId: last.eventId,
    requestId: randomUUID(),
  });
}
