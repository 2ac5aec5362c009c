// Recovers rollouts that were terminated: reset to the last completed workflow task, then a signed abort (DESIGN §4.8).
import type { KeyObject } from 'node:crypto';
import { randomUUID } from 'node:crypto';
import { deploymentWorkflowId, rolloutWorkflowId } from '../core/names.ts';
import { signMessage } from '../io/trust.ts';
import type { Bound, Signed } from '../core/messages.ts';
import type { Json } from '../core/plan/plan.ts';
import type { DeploymentInput, RolloutInput, RolloutResult } from '../../workflows/contract.ts';
import type { Connected } from './connection.ts';
import { signalRollout } from './send.ts';

export interface Recovered {
  readonly environment: string;
  readonly result: RolloutResult;
}

const COMPLETED = 'EVENT_TYPE_WORKFLOW_TASK_COMPLETED';
const MESSAGE_MS = 3_600_000;

/** Follows every terminated rollout of the deployment to its ending. @throws Error when there is nothing to recover, or it is another's. */
export async function recover(
  connected: Connected,
  deployment: string,
  person: string,
  key: KeyObject,
  progress: (text: string) => void,
): Promise<readonly Recovered[]> {
  const runs = await runsOf(connected, deployment);
  const recovered: Recovered[] = [];
  for (const { environment, service } of [...runs].reverse()) {
    const state = await rolloutState(connected, deployment, service, environment);
    if (state === 'other' || state === 'none') continue;
    if (state === 'closed') continue;
    progress(state === 'terminated' ? `${environment}: resetting the terminated rollout` : `${environment}: the rollout is running`);
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
    progress(`${environment}: aborting, following to the end`);
    const result = (await connected.client.workflow.getHandle(rolloutWorkflowId(service, environment)).result()) as RolloutResult;
    recovered.push({ environment, result });
  }
  if (recovered.length === 0) throw new Error(`no rollout of ${deployment} was terminated; soakgate status ${deployment} shows where it is`);
  return recovered;
}

async function runsOf({ client }: Connected, deployment: string): Promise<readonly { environment: string; service: string }[]> {
  const input = await inputOf<DeploymentInput>({ client } as Connected, deploymentWorkflowId(deployment));
  return input.runs.map(({ rollout }) => ({ environment: rollout.environment, service: rollout.service }));
}

/** A reset ends the current run of a workflow id, so it must be this deployment's. */
async function rolloutState(
  connected: Connected,
  deployment: string,
  service: string,
  environment: string,
): Promise<'none' | 'other' | 'running' | 'terminated' | 'closed'> {
  const id = rolloutWorkflowId(service, environment);
  const description = await connected.client.workflow
    .getHandle(id)
    .describe()
    .catch(() => undefined);
  if (!description) return 'none';
  const input = await inputOf<RolloutInput>(connected, id);
  if (input.run.rollout.deployment !== deployment) return 'other';
  if (description.status.name === 'RUNNING') return 'running';
  return description.status.name === 'TERMINATED' ? 'terminated' : 'closed';
}

async function inputOf<T>({ client }: Connected, workflowId: string): Promise<T> {
  const history = await client.workflow.getHandle(workflowId).fetchHistory();
  const started = history.events?.[0]?.workflowExecutionStartedEventAttributes;
  const payload = started?.input?.payloads?.[0]?.data;
  if (!payload) throw new Error(`workflow ${workflowId} has no readable input`);
  return JSON.parse(Buffer.from(payload).toString('utf8')) as T;
}

/** Replay rebuilds the undo stack up to the last completed workflow task. */
async function reset({ client, namespace }: Connected, workflowId: string): Promise<void> {
  const handle = client.workflow.getHandle(workflowId);
  const description = await handle.describe();
  const history = await client.workflow.getHandle(workflowId, description.runId).fetchHistory();
  const last = (history.events ?? []).findLast((event) => String(event.eventType) === COMPLETED || Number(event.eventType) === 7);
  if (!last?.eventId) throw new Error(`workflow ${workflowId} has no completed workflow task to reset to`);
  await client.workflowService.resetWorkflowExecution({
    namespace,
    workflowExecution: { workflowId, runId: description.runId },
    reason: 'soakgate recover',
    workflowTaskFinishEventId: last.eventId,
    requestId: randomUUID(),
  });
}
