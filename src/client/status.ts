// Where one deployment is: its own progress and that of its rollouts; closed ones too, as long as a worker
// answers.
import { deploymentWorkflowId, afterwardsWorkflowId, rolloutWorkflowId } from '../core/ids.ts';
import type { Pace } from '../core/pace.ts';
import type { DeploymentInput, DeploymentResult, RolloutResult } from '../../workflows/contract.ts';
import type { Progress } from '../../workflows/progress.ts';
import type { Connected } from './connection.ts';
import { type Holder, holderOf, ownRun } from './holder.ts';
import type { RunState } from './run-state.ts';
import { type ShownProgress, shownProgress } from './shown-progress.ts';
import { historyText } from './history-room.ts';
import { deploymentInputOf, isNotFound } from './history.ts';
import { resetPoint } from './reset-point.ts';

interface Run<Result> {
  readonly workflowId: string;
  readonly runId: string | null;
  readonly state: RunState;
  /** RFC 3339. */
  readonly startedAt: string | null;
  readonly closedAt: string | null;
  /** Null when no worker answered. */
  readonly progress: ShownProgress | null;
  /** That its history is nearly full, or was; null while there is room. */
  readonly history: string | null;
  /** Null while it runs, and when it was ended from outside. */
  readonly result: Result | null;
}

export interface EnvironmentStatus extends Run<RolloutResult> {
  readonly environment: string;
  /**
   * Whether its changes are still there because it was terminated or has failed: `soakgate recover` undoes
   * them.
   */
  readonly lost: boolean;
  /** Who keeps this deployment's rollout out; null where nobody does, or where its time is over. */
  readonly heldBy: Holder | null;
  /** What the deployment left behind; its result says why it ended. Null where none was begun. */
  readonly afterwards: Run<string> | null;
}

export interface DeploymentStatus extends Run<DeploymentResult> {
  readonly deployment: string;
  readonly service: string;
  readonly summary: string;
  readonly requester: string;
  readonly commit: string;
  readonly pace: Pace | null;
  readonly environments: readonly EnvironmentStatus[];
}

const QUERY_MS = 5_000;
const NONE = {
  runId: null,
  state: 'none',
  startedAt: null,
  closedAt: null,
  progress: null,
  history: null,
  result: null,
} as const;

/**
 * What never changes of a deployment is read once; `read` gives its state now. @throws Problem when there is
 * no such deployment.
 */
export async function openStatus(
  connected: Connected,
  deployment: string,
): Promise<{ readonly read: () => Promise<DeploymentStatus> }> {
  const input = await deploymentInputOf(connected, deployment);
  return { read: () => readStatus(connected, deployment, input) };
}

async function readStatus(
  connected: Connected,
  deployment: string,
  { start, runs }: DeploymentInput,
): Promise<DeploymentStatus> {
  const workflowId = deploymentWorkflowId(deployment);
  const [own, environments] = await Promise.all([
    readRun<DeploymentResult>(connected, workflowId),
    Promise.all(
      runs.map(async ({ rollout, list }): Promise<EnvironmentStatus> => {
        const id = rolloutWorkflowId(rollout.service, rollout.environment);
        const runId = await ownRun(connected, deployment, id);
        const run =
          runId === null ? { ...NONE, workflowId: id } : await readRun<RolloutResult>(connected, id, runId);
        const asked = list.environment.afterwards !== undefined && run.state === 'completed';
        return {
          environment: rollout.environment,
          ...run,
          lost: await isLost(connected, workflowId, run),
          heldBy: run.state === 'running' ? null : await holderOf(connected, id, deployment),
          afterwards: asked ? await readAfterwards(connected, deployment, rollout.environment) : null,
        };
      }),
    ),
  ]);
  return {
    deployment,
    service: runs[0]?.rollout.service ?? '',
    summary: runs[0]?.list.summary ?? '',
    requester: start.person,
    commit: start.body.commit,
    pace: start.body.pace,
    ...own,
    // Whoever holds an environment after this deployment has come to its end keeps nobody of it out.
    environments: environments.map((place) => ({
      ...place,
      heldBy: waits(own, place) ? place.heldBy : null,
    })),
  };
}

const waits = ({ state, result }: Run<DeploymentResult>, { runId }: EnvironmentStatus): boolean =>
  state === 'running' || (result?.outcome === 'failed' && runId === null);

const CUT_OFF: readonly RunState[] = ['terminated', 'failed', 'timed_out'];

/**
 * A deployment that has completed was told how each rollout ended; one that was ended itself is told nothing,
 * so its rollout must have begun.
 */
async function isLost(
  { client }: Connected,
  deploymentId: string,
  { state, workflowId, runId }: Run<RolloutResult>,
): Promise<boolean> {
  if (runId === null || !CUT_OFF.includes(state)) return false;
  const { status } = await client.workflow.getHandle(deploymentId).describe();
  if (status.name === 'RUNNING') return true;
  if (status.name === 'COMPLETED') return false;
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  return resetPoint(events ?? []) !== null;
}

async function readAfterwards(
  connected: Connected,
  deployment: string,
  environment: string,
): Promise<Run<string> | null> {
  return readRun<string>(connected, afterwardsWorkflowId(deployment, environment)).catch((error: unknown) => {
    if (isNotFound(error)) return null;
    throw error;
  });
}

async function readRun<Result>(
  connected: Connected,
  workflowId: string,
  runId?: string,
): Promise<Run<Result>> {
  const handle = connected.client.workflow.getHandle(workflowId, runId);
  const [description, progress] = await Promise.all([
    handle.describe(),
    readProgress(connected, workflowId, runId),
  ]);
  const state = description.status.name.toLowerCase() as RunState;
  const result = state === 'completed' ? ((await handle.result()) as Result) : null;
  return {
    workflowId,
    runId: description.runId,
    state,
    startedAt: description.startTime.toISOString(),
    closedAt: description.closeTime?.toISOString() ?? null,
    progress,
    history: historyText(state === 'running', description.historyLength, description.historySize ?? 0),
    result,
  };
}

/** Null when no worker answers in time: the caller shows what the server alone knows. */
async function readProgress(
  { client }: Connected,
  workflowId: string,
  runId?: string,
): Promise<ShownProgress | null> {
  try {
    const progress = await client.connection.withDeadline(Date.now() + QUERY_MS, () =>
      client.workflow.getHandle(workflowId, runId).query<Progress>('progress'),
    );
    return shownProgress(progress);
  } catch {
    return null;
  }
}
