// Whether anybody works on the control queue.
import { CONTROL_QUEUE } from '../core/ids.ts';
import type { Connected } from './connection.ts';

/** temporal.api.enums.v1.TaskQueueType */
const WORKFLOW = 1;

/** How many workers have polled the control queue lately. */
export async function workersOf({ client, namespace }: Connected): Promise<number> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: CONTROL_QUEUE },
    taskQueueType: WORKFLOW,
  });
  return pollers?.length ?? 0;
}
