// Who holds the id of a rollout: one environment of a service has one rollout at a time, and a run that nobody ends
// keeps all later ones out.
import { deploymentWorkflowId } from '../core/ids.ts';
import type { Connected } from './connection.ts';
import { isNotFound, rolloutInputOf, startedRollouts } from './history.ts';
import type { RunState } from './run-state.ts';

/** A run of another deployment that holds the id. */
export interface Holder {
  readonly workflowId: string;
  readonly runId: string;
  /** Null where its input names none. */
  readonly deployment: string | null;
  /** What has become of that deployment; `none` where nobody has started it. */
  readonly deploymentState: RunState;
}

/** The running holder of a rollout's id, where it is not of this deployment. */
export async function holderOf(
  connected: Connected,
  workflowId: string,
  deployment: string | null,
): Promise<Holder | null> {
  const run = await describe(connected, workflowId);
  if (run?.state !== 'running') return null;
  const of = await deploymentOf(connected, workflowId, run.runId);
  if (of !== null && of === deployment) return null;
  const its = of === null ? null : await describe(connected, deploymentWorkflowId(of));
  return { workflowId, runId: run.runId, deployment: of, deploymentState: its?.state ?? 'none' };
}

/** The id of a rollout is used again by later deployments: its current run is taken only when it is ours. */
export async function ownRun(
  connected: Connected,
  deployment: string,
  workflowId: string,
): Promise<string | null> {
  const current = await describe(connected, workflowId);
  if (!current) return null;
  if ((await deploymentOf(connected, workflowId, current.runId)) === deployment) return current.runId;
  return (await startedRollouts(connected, deployment)).get(workflowId) ?? null;
}

/** The deployment that a rollout's run names; null where nobody can read its input. */
export async function deploymentOf(
  connected: Connected,
  workflowId: string,
  runId: string,
): Promise<string | null> {
  const input: unknown = await rolloutInputOf(connected, workflowId, runId).catch((error: unknown) => {
    // A server that does not answer says nothing about the run.
    if (typeof (error as { code?: unknown }).code === 'number') throw error;
    return null;
  });
  const name = (input as { run?: { rollout?: { deployment?: unknown } } } | null)?.run?.rollout?.deployment;
  return typeof name === 'string' ? name : null;
}

/** The current run of a workflow id; null where there is none. */
async function describe(
  { client }: Connected,
  workflowId: string,
): Promise<{ readonly runId: string; readonly state: RunState } | null> {
  try {
    const { runId, status } = await client.workflow.getHandle(workflowId).describe();
    return { runId, state: status.name.toLowerCase() as RunState };
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}

/** What frees the id: the command, as it is typed. `service` and `environment` are those of the rollout. */
export function releasingCommand(
  { deployment, deploymentState }: Holder,
  service: string,
  environment: string,
) {
  if (deployment === null || deploymentState === 'none') return `soakgate release ${service} ${environment}`;
  return deploymentState === 'running'
    ? `soakgate status ${deployment}`
    : `soakgate recover ${deployment} --as YOU`;
}

/** The sentence, e.g. `production is held by a rollout of shop-7, which has ended`. */
export function holderText({ deployment, deploymentState }: Holder, environment: string): string {
  if (deployment === null) return `${environment} is held by a run that names no deployment`;
  const how =
    deploymentState === 'running' ? 'runs' : deploymentState === 'none' ? 'nobody has started' : 'has ended';
  return `${environment} is held by a rollout of ${deployment}, which ${how}`;
}
