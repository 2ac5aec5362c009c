// Sends a signed message: the update first (it answers), then the signal with the same nonce (it waits for a
// worker).
import { WorkflowUpdateFailedError } from '@temporalio/client';
import type { Signed } from '../core/messages.ts';
import {
  deploymentWorkflowId,
  afterwardsWorkflowId,
  type RolloutRef,
  rolloutWorkflowId,
} from '../core/ids.ts';
import type { Connected } from './connection.ts';
import { deploymentInputOf, isNotFound, rolloutInputOf } from './history.ts';
import { forThisNamespace } from './namespace.ts';
import { Problem } from './problem.ts';

const UPDATE_MS = 10_000;
const SIGNAL_MS = 5_000;

export type Sent =
  | { readonly outcome: 'accepted' | 'refused'; readonly text: string }
  /** The server may still deliver it; the signal of the same nonce was sent as well. */
  | { readonly outcome: 'unknown'; readonly text: string };

/**
 * Sends one message to its deployment, or to the post-deployment checks that it left. @throws Problem when no
 * such one is running.
 */
export async function sendMessage(connected: Connected, signed: Signed): Promise<Sent> {
  forThisNamespace(connected, signed);
  const { deployment, environment } = signed.body;
  const afterwards = afterwardsWorkflowId(deployment, environment);
  if (signed.message === 'stopChecks') return sendTo(connected, afterwards, signed);
  if (signed.message === 'checkNow' && (await isRunning(connected, afterwards)))
    return sendTo(connected, afterwards, signed);
  return sendTo(connected, deploymentWorkflowId(deployment), signed);
}

async function sendTo(connected: Connected, workflowId: string, signed: Signed): Promise<Sent> {
  const { client } = connected;
  const handle = client.workflow.getHandle(workflowId);
  try {
    const answer = await client.connection.withDeadline(Date.now() + UPDATE_MS, () =>
      handle.executeUpdate<{ accepted: boolean; text: string }, [Signed]>(signed.message, {
        args: [signed],
        updateId: signed.body.nonce,
      }),
    );
    return { outcome: answer.accepted ? 'accepted' : 'refused', text: answer.text };
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError)
      return { outcome: 'refused', text: error.cause?.message ?? error.message };
    if (isNotFound(error)) return toItsRollout(connected, signed);
  }
  const leave = () => handle.signal(signed.message, signed);
  await client.connection.withDeadline(Date.now() + SIGNAL_MS, leave).catch(async (error: unknown) => {
    throw isNotFound(error) ? await goneProblem(connected, signed) : error;
  });
  return {
    outcome: 'unknown',
    text:
      'no worker answered within 10 s; the message waits as a signal, and is judged when the control worker ' +
      `and the worker of ${signed.body.environment} run again`,
  };
}

/**
 * A deployment that was ended from outside leaves its rollout running, which undoes what it did: from then on
 * messages go there.
 */
async function toItsRollout(connected: Connected, signed: Signed): Promise<Sent> {
  const { deployment, environment } = signed.body;
  const rollout = await orphanOf(connected, deployment, environment);
  if (!rollout) throw await goneProblem(connected, signed);
  await signalRollout(connected, rollout.service, signed);
  return {
    outcome: 'unknown',
    text:
      `${deployment} has ended, its rollout in ${environment} has not: the message was left there ` +
      `(soakgate status ${deployment} shows what became of it)`,
  };
}

async function orphanOf(
  connected: Connected,
  deployment: string,
  environment: string,
): Promise<RolloutRef | null> {
  const { runs } = await deploymentInputOf(connected, deployment);
  const rollout = runs.map((run) => run.rollout).find((one) => one.environment === environment);
  if (!rollout) return null;
  const id = rolloutWorkflowId(rollout.service, environment);
  if (!(await isRunning(connected, id))) return null;
  const { run } = await rolloutInputOf(connected, id);
  return run.rollout.deployment === deployment ? rollout : null;
}

/** A name that was never started is a slip of the pen; one that has ended is a conflict. */
async function goneProblem(
  connected: Connected,
  { message, body: { deployment, environment } }: Signed,
): Promise<Problem> {
  await deploymentInputOf(connected, deployment);
  if (message === 'stopChecks')
    return new Problem(
      'conflict',
      `${deployment} has no post-deployment checks in ${environment}`,
      `soakgate status ${deployment} shows its state`,
    );
  return new Problem(
    'conflict',
    `deployment ${deployment} has ended`,
    `soakgate status ${deployment} shows how`,
  );
}

async function isRunning({ client }: Connected, workflowId: string): Promise<boolean> {
  const found = await client.workflow
    .getHandle(workflowId)
    .describe()
    .catch((error: unknown) => {
      if (isNotFound(error)) return null;
      throw error;
    });
  return found?.status.name === 'RUNNING';
}

/** For a rollout whose deployment is gone. */
export async function signalRollout({ client }: Connected, service: string, signed: Signed): Promise<void> {
  await client.workflow
    .getHandle(rolloutWorkflowId(service, signed.body.environment))
    .signal('command', { is: 'message', signed });
}
