// Which task a rollout that was cut off goes on from, and what has to be sent to it again.
import { describe, expect, test } from 'vitest';
import { type HistoryEvent, lostCommands, resetPoint } from '../../src/client/reset-point.ts';

const event = (eventId: number, attributes: object): HistoryEvent =>
  ({ eventId, ...attributes }) as unknown as HistoryEvent;
const completed = (id: number) => event(id, { workflowTaskCompletedEventAttributes: {} });
const signaled = (id: number, signalName: string, data: string) =>
  event(id, {
    workflowExecutionSignaledEventAttributes: {
      signalName,
      input: { payloads: [{ data: Buffer.from(data) }] },
    },
  });
const terminated = (id: number) => event(id, { workflowExecutionTerminatedEventAttributes: {} });
const failed = (id: number, by: number) =>
  event(id, { workflowExecutionFailedEventAttributes: { workflowTaskCompletedEventId: by } });

describe('the task to reset to', () => {
  test('of a terminated rollout is the last completed one', () =>
    expect(resetPoint([completed(4), completed(8), terminated(9)])?.eventId).toBe(8));
  test('of a failed rollout is the one before the task that took the failure', () =>
    expect(resetPoint([completed(4), completed(8), failed(9, 8)])?.eventId).toBe(4));
  test('is none where no task was completed, or only the one that failed', () => {
    expect(resetPoint([event(1, {}), terminated(3)])).toBeNull();
    expect(resetPoint([completed(4), failed(5, 4)])).toBeNull();
  });
});

test('commands after it are sent again in their order; what cannot be read, and other signals, are not', () => {
  const events = [
    signaled(3, 'command', '{"is":"proceed"}'),
    completed(4),
    signaled(5, 'command', '{"is":"close"}'),
    signaled(6, 'poison', '{"is":"close"}'),
    signaled(7, 'command', '{"is":'),
    signaled(8, 'command', '{"is":"stop","why":"void"}'),
    failed(10, 9),
  ];
  expect(lostCommands(events, events[1]!)).toEqual([{ is: 'close' }, { is: 'stop', why: 'void' }]);
});
