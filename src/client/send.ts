// Sends a signed message: the update first (it answers), then the signal with the same nonce (it waits for a worker).
import { WorkflowUpdateFailedError, WorkflowNotFoundError } from '@temporalio/client';
import type { Signed } from '../core/messages.ts';
import { deploymentWorkflowId, rolloutWorkflowId } from '../core/names.ts';
import type { Connected } from './connection.ts';

const UPDATE_MS = 10_000;

export type Sent =
  | { readonly outcome: 'accepted' | 'refused'; readonly text: string }
  /** The server may still deliver it; the signal of the same nonce was sent as well. */
  | { readonly outcome: 'unknown'; readonly text: string };

/** Sends one message to its deployment. @throws Error when there is no such deployment. */
export async function sendMessage({ client }: Connected, signed: Signed): Promise<Sent> {
  const handle = client.workflow.getHandle(deploymentWorkflowId(signed.body.deployment));
  try {
    const answer = await client.connection.withDeadline(Date.now() + UPDATE_MS, () =>
      handle.executeUpdate<{ accepted: boolean; text: string }, [Signed]>(signed.message, { args: [signed], updateId: signed.body.nonce }),
    );
    return { outcome: answer.accepted ? 'accepted' : 'refused', text: answer.text };
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) return { outcome: 'refused', text: error.cause?.message ?? error.message };
    if (error instanceof WorkflowNotFoundError)
      throw new Error(`no deployment ${signed.body.deployment} is running; soakgate list shows those that are`);
  }
  await handle.signal(signed.message, signed);
  return {
    outcome: 'unknown',
    text: 'no worker answered within 10 s; it was left as a signal and counts when one is back (soakgate status shows it)',
  };
}

/** For a rollout whose deployment is gone. */
export async function signalRollout({ client }: Connected, service: string, signed: Signed): Promise<void> {
  await client.workflow.getHandle(rolloutWorkflowId(service, signed.body.environment)).signal('command', { is: 'message', signed });
}
