// Frees the id of a rollout that a run holds which has opened nothing: refused, or never meant for this environment.
import { rolloutWorkflowId } from '../core/ids.ts';
import type { Connected } from './connection.ts';
import { type Holder, holderOf, holderText, releasingCommand } from './holder.ts';
import { Problem } from './problem.ts';

export interface Released {
  readonly workflowId: string;
  readonly runId: string;
  readonly deployment: string | null;
}

/** The run that holds the id. @throws Problem when nobody does. */
export async function heldBy(connected: Connected, service: string, environment: string): Promise<Holder> {
  const holder = await holderOf(connected, rolloutWorkflowId(service, environment), null);
  if (holder) return holder;
  throw new Problem(
    'conflict',
    `no rollout of ${service} holds ${environment}: nothing is there to release`,
    'soakgate list shows all deployments',
  );
}

/** Terminates that very run. */
export async function release(
  connected: Connected,
  { workflowId, runId, deployment }: Holder,
): Promise<Released> {
  await connected.client.workflow
    .getHandle(workflowId, runId)
    .terminate('soakgate release: it has opened nothing');
  return { workflowId, runId, deployment };
}

/** @throws Problem when its permit was checked, so that it may have changed something. */
export async function refuseOpened(
  connected: Connected,
  holder: Holder,
  service: string,
  environment: string,
): Promise<void> {
  const command = releasingCommand(holder, service, environment);
  if (!command.startsWith('soakgate release'))
    throw new Problem('conflict', holderText(holder, environment), command);
  if (await hasOpened(connected, holder))
    throw new Problem(
      'conflict',
      `${holderText(holder, environment)}, and a worker has answered it that its permit is good: it may have changed ` +
        'something',
      `look at ${environment}; soakgate release ${service} ${environment} --force ends it without undoing anything`,
    );
}

/** By its history: somebody has answered that its permit is good. */
async function hasOpened({ client }: Connected, { workflowId, runId }: Holder): Promise<boolean> {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const asked = new Set(
    (events ?? []).flatMap(({ eventId, activityTaskScheduledEventAttributes: scheduled }) =>
      scheduled?.activityType?.name === 'openRollout' ? [String(eventId)] : [],
    ),
  );
  return (events ?? []).some(({ activityTaskCompletedEventAttributes: completed }) =>
    asked.has(String(completed?.scheduledEventId)),
  );
}
