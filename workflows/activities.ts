// The one way to call an activity: queue, heartbeat, timeout and retries stand in one table, and every call
// returns a value (rule 3).
// No other module may import `proxyActivities` (oxlint.config.ts).
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  RetryState,
  TimeoutFailure,
} from '@temporalio/common';
import {
  ActivityCancellationType,
  CancellationScope,
  isCancellation,
  proxyActivities,
} from '@temporalio/workflow';
import type { ControlActivities, EnvironmentActivities, ObserveActivities } from '../src/core/activities.ts';
import { CONTROL_QUEUE, environmentQueue, observeQueue } from '../src/core/ids.ts';
import type { Timing } from './contract.ts';

/** Why a call came to nothing, after all its attempts. */
export interface Failure {
  /**
   * A code of the table of failures where the activity threw one; else `TIMED_OUT`, `CANCELLED` or `UNKNOWN`.
   */
  readonly code: string;
  /** For people: `CODE: message`. */
  readonly text: string;
  /** What the step and the table of failures say besides. */
  readonly details: readonly string[];
  /** Whether the activity itself ruled out that another attempt could mend it. */
  readonly final: boolean;
}

export type Called<T> = { readonly ok: T } | { readonly failed: Failure };

type Calls<Activities> = {
  readonly [Name in keyof Activities]: Activities[Name] extends (input: infer Input) => Promise<infer Result>
    ? (input: Input) => Promise<Called<Result>>
    : never;
};

interface Row {
  readonly attempts: number;
  readonly longest: '12h' | '5m';
  /** Until it is given up, also where no worker takes it; left out: never. */
  readonly within?: '5m';
  /** None: it is too short to beat. */
  readonly heartbeatMs?: number;
}

const RETRY_MS = 1_000;
const FOR_EVER = Number.POSITIVE_INFINITY;

/**
 * Attempts are few where the workflow itself shows what fails and calls again (`persist.ts`), for ever where
 * the worker
 * goes on by itself, and many where giving up means that people must mend something by hand.
 */
const table = {
  /** A step, the opening of a rollout, a forward fix. */
  step: { attempts: 8, longest: '12h', heartbeatMs: 15_000 },
  undo: { attempts: 20, longest: '12h', heartbeatMs: 15_000 },
  /** What a fallback would lose; a question that waits for it is asked in any case. */
  count: { attempts: 2, longest: '5m', within: '5m', heartbeatMs: 15_000 },
  /** Closing a rollout. */
  close: { attempts: 5, longest: '12h', heartbeatMs: 15_000 },
  /** Whether a message counts. */
  verify: { attempts: 8, longest: '12h', heartbeatMs: 15_000 },
  /** Which of many messages can count; where nobody says, each is verified by itself. */
  sift: { attempts: 2, longest: '5m', heartbeatMs: 15_000 },
  /** What is asked before a permit is used. */
  beforeDeploying: { attempts: 3, longest: '12h', heartbeatMs: 15_000 },
  observe: { attempts: FOR_EVER, longest: '12h', heartbeatMs: 30_000 },
  control: { attempts: 5, longest: '5m' },
} as const satisfies Record<string, Row>;

/**
 * Steps, undos and questions to an environment: its own queue, heartbeats, and an undo that never overlaps
 * its step.
 */
export function environmentActivities(
  environment: string,
  summary: string,
  timing: Timing | undefined,
  kind: Exclude<keyof typeof table, 'observe' | 'control'>,
): Calls<EnvironmentActivities> {
  const row = table[kind];
  return calls(environmentQueue(environment), summary, row, timing, timing?.heartbeatMs ?? row.heartbeatMs);
}

/** Observation has a queue of its own, so that a soak never waits behind a migration. */
export function observeActivities(
  environment: string,
  summary: string,
  timing: Timing | undefined,
): Calls<ObserveActivities> {
  const row = table.observe;
  const heartbeatMs = timing?.observeHeartbeatMs ?? row.heartbeatMs;
  return calls(observeQueue(environment), summary, row, timing, heartbeatMs);
}

/** Decisions, gate reports and evidence. */
export function controlActivities(summary: string, timing: Timing | undefined): Calls<ControlActivities> {
  return calls(CONTROL_QUEUE, summary, table.control, timing, undefined);
}

function calls<Activities extends object>(
  taskQueue: string,
  summary: string,
  { attempts, longest, within }: Row,
  timing: Timing | undefined,
  heartbeatMs: number | undefined,
): Calls<Activities> {
  const { retryMs = RETRY_MS } = timing ?? {};
  const proxied = proxyActivities({
    taskQueue,
    summary,
    startToCloseTimeout: longest,
    ...(within !== undefined && { scheduleToCloseTimeout: within }),
    ...(heartbeatMs !== undefined && { heartbeatTimeout: heartbeatMs }),
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: retryMs, maximumInterval: 30 * retryMs, maximumAttempts: attempts },
  });
  const call = (name: string) => (input: unknown) => called(() => proxied[name]!(input));
  return new Proxy({}, { get: (_, name) => call(String(name)) }) as Calls<Activities>;
}

/**
 * @throws CancelledFailure in a scope that has been cancelled, however the activity ended: a worker that died
 * cannot say
 * that it was cancelled. Nothing else is thrown.
 */
async function called<T>(act: () => Promise<T>): Promise<Called<T>> {
  try {
    return { ok: await act() };
  } catch (error) {
    if (CancellationScope.current().consideredCancelled)
      throw isCancellation(error) ? error : new CancelledFailure('cancelled while its worker was away');
    return { failed: failureOf(error) };
  }
}

function failureOf(error: unknown): Failure {
  const final = error instanceof ActivityFailure && error.retryState === RetryState.NON_RETRYABLE_FAILURE;
  const cause = error instanceof ActivityFailure ? (error.cause ?? error) : error;
  return { code: codeOf(cause), text: textOf(cause), details: detailsOf(cause), final };
}

function codeOf(cause: unknown): string {
  if (cause instanceof ApplicationFailure) return cause.type ?? 'UNKNOWN';
  if (cause instanceof TimeoutFailure) return 'TIMED_OUT';
  return cause instanceof CancelledFailure ? 'CANCELLED' : 'UNKNOWN';
}

/** The words of a failure for people. */
export const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function detailsOf(cause: unknown): readonly string[] {
  if (!(cause instanceof ApplicationFailure)) return [];
  const [first] = (cause.details ?? []) as { details?: unknown; remedy?: unknown }[];
  const details = Array.isArray(first?.details) ? first.details.slice(0, 10).map(String) : [];
  return [...details, ...(typeof first?.remedy === 'string' ? [first.remedy] : [])];
}
