// The activities as workflows call them: queue, timeouts and cancellation written out for each class (rule 3).
import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { ControlActivities, EnvironmentActivities, ObserveActivities } from '../src/core/activities.ts';
import { CONTROL_QUEUE, environmentQueue, observeQueue } from '../src/core/names.ts';

const LONGEST_STEP = '12h';
const FIRST_RETRY = '1s';

/** How often each is tried; what closes a rollout is tried until it has worked, or the rollout would state open for ever. */
const ATTEMPTS = { step: 8, undo: 20, close: Number.POSITIVE_INFINITY } as const;

/** Steps and undos: one environment's queue, heartbeats, and an undo that never overlaps its step. */
export function environmentActivities(
  environment: string,
  summary: string,
  heartbeatMs: number,
  tried: keyof typeof ATTEMPTS = 'step',
): EnvironmentActivities {
  return proxyActivities<EnvironmentActivities>({
    taskQueue: environmentQueue(environment),
    summary,
    startToCloseTimeout: LONGEST_STEP,
    heartbeatTimeout: heartbeatMs,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: FIRST_RETRY, maximumInterval: '30s', maximumAttempts: ATTEMPTS[tried] },
  });
}

/** `observe` has a queue of its own, so that a soak never waits behind a migration. */
export function observeActivities(
  environment: string,
  summary: string,
  heartbeatMs: number,
): ObserveActivities {
  return proxyActivities<ObserveActivities>({
    taskQueue: observeQueue(environment),
    summary,
    startToCloseTimeout: LONGEST_STEP,
    heartbeatTimeout: heartbeatMs,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: FIRST_RETRY, maximumInterval: '30s' },
  });
}

/** Decisions and evidence: short, retried until the control worker is back. */
export function controlActivities(summary: string): ControlActivities {
  return proxyActivities<ControlActivities>({
    taskQueue: CONTROL_QUEUE,
    summary,
    startToCloseTimeout: '5m',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: FIRST_RETRY, maximumInterval: '30s' },
  });
}
