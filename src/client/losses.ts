// What a restore would lose now, asked of the rollout before somebody signs it.
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { rolloutWorkflowId } from '../core/ids.ts';
import type { DeploymentInput } from '../../workflows/contract.ts';
import type { Connected } from './connection.ts';
import { runOf } from './gate-report.ts';
import { messageOf } from './problem.ts';
import { isLate, isUnavailable } from './reach.ts';

const COUNT_MS = 60_000;

/** One line; where nobody counts in time, or no rollout is open, the line says that. */
export async function readLosses(
  { client }: Connected,
  input: DeploymentInput,
  environment: string,
): Promise<string> {
  const { deployment } = input.start.body;
  const { service } = runOf(input, environment).rollout;
  const handle = client.workflow.getHandle(rolloutWorkflowId(service, environment));
  try {
    return await client.connection.withDeadline(Date.now() + COUNT_MS, () =>
      handle.executeUpdate<string, [string]>('losses', { args: [deployment] }),
    );
  } catch (error) {
    if (isUnavailable(error)) throw error;
    if (error instanceof WorkflowNotFoundError) return `not counted: no rollout is open in ${environment}`;
    if (isLate(error)) return `not counted: no worker answered within ${COUNT_MS / 1000} s`;
    const cause = error instanceof WorkflowUpdateFailedError ? error.cause : error;
    return `not counted: ${messageOf(cause)}`;
  }
}
