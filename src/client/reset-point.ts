// What a history says about a reset: from which task a rollout that was cut off can go on, and what is lost
// by it.
import type { WorkflowHandle } from '@temporalio/client';

export type HistoryEvent = NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>[number];

/**
 * The workflow task to reset to: the last completed one; of a rollout that failed the one before it, because
 * the last one took what failed it
 * and would take it again. Null when there is none: then nothing was done.
 */
export function resetPoint(events: readonly HistoryEvent[]): HistoryEvent | null {
  const failed = events.at(-1)?.workflowExecutionFailedEventAttributes;
  const end = failed ? Number(failed.workflowTaskCompletedEventId) : Number.POSITIVE_INFINITY;
  return (
    events.findLast((event) => event.workflowTaskCompletedEventAttributes && Number(event.eventId) < end) ??
    null
  );
}

/** The commands that came after it and can be read, in their order. */
export function lostCommands(events: readonly HistoryEvent[], point: HistoryEvent): readonly object[] {
  return events
    .filter(({ eventId }) => Number(eventId) > Number(point.eventId))
    .flatMap(({ workflowExecutionSignaledEventAttributes: signaled }) => {
      const data = signaled?.signalName === 'command' ? signaled.input?.payloads?.[0]?.data : undefined;
      const command = data ? readJson(data) : null;
      return typeof command === 'object' && command !== null ? [command] : [];
    });
}

function readJson(data: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(data).toString('utf8'));
  } catch {
    return null;
  }
}
