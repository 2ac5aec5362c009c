// What the client reads from histories: a workflow's input, and the rollouts that a deployment has started.
import type { DeploymentInput, RolloutInput } from '../../workflows/contract.ts';
import { deploymentWorkflowId } from '../core/ids.ts';
import type { Connected } from './connection.ts';
import { Problem } from './problem.ts';

const NOT_FOUND = 5;

/** By name and code, so that whoever only signs need not load Temporal's client. */
export function isNotFound(error: unknown): boolean {
  return (
    (error instanceof Error && error.name === 'WorkflowNotFoundError') ||
    (error as { code?: unknown } | null)?.code === NOT_FOUND
  );
}

/**
 * The input of a workflow, from its first event alone. @throws what the server says when there is no such
 * workflow.
 */
async function inputOf<T>({ client, namespace }: Connected, workflowId: string, runId?: string): Promise<T> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace,
    execution: { workflowId, ...(runId !== undefined && { runId }) },
    maximumPageSize: 1,
  });
  const payload = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data;
  if (!payload) throw new Error(`workflow ${workflowId} has no readable input`);
  return JSON.parse(Buffer.from(payload).toString('utf8')) as T;
}

/** @throws Problem when there is no such deployment. */
export async function deploymentInputOf(connected: Connected, deployment: string): Promise<DeploymentInput> {
  return inputOf<DeploymentInput>(connected, deploymentWorkflowId(deployment)).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
    throw new Problem(
      'unknown',
      `there is no deployment ${deployment} in namespace ${connected.namespace}`,
      'soakgate list shows all deployments',
    );
  });
}

export const rolloutInputOf = (
  connected: Connected,
  workflowId: string,
  runId?: string,
): Promise<RolloutInput> => inputOf<RolloutInput>(connected, workflowId, runId);

/**
 * Workflow id → run id of the rollouts that the deployment itself has started; a recovered rollout has a
 * later run.
 */
export async function startedRollouts(
  { client }: Connected,
  deployment: string,
): Promise<ReadonlyMap<string, string>> {
  const { events } = await client.workflow.getHandle(deploymentWorkflowId(deployment)).fetchHistory();
  const runs = (events ?? []).flatMap((event) => {
    const started = event.childWorkflowExecutionStartedEventAttributes?.workflowExecution;
    return started?.workflowId && started.runId ? [[started.workflowId, started.runId] as const] : [];
  });
  return new Map(runs);
}
