// What makes a function an activity: heartbeat, cancellation, and failures with a code from the table (rule
// 5).
import { ApplicationFailure, cancellationSignal, CancelledFailure, heartbeat } from '@temporalio/activity';
import { type FailureCode, failures, StepFailure } from '../../src/core/failures.ts';
import { redact } from '../../src/io/redact.ts';
import { withoutRowValues, withoutRowValuesIn } from '../../src/io/row-values.ts';

const HEARTBEAT_MS = 1_000;

/** Heartbeats while it runs, and turns failures into Temporal's with a code from the table (rule 5). */
export async function asActivity<T>(act: () => Promise<T>): Promise<T> {
  const beat = setInterval(() => heartbeat(), HEARTBEAT_MS);
  try {
    return withoutRowValuesIn(await act());
  } catch (error) {
    if (cancellationSignal().aborted) throw new CancelledFailure('cancelled');
    throw asFailure(error);
  } finally {
    clearInterval(beat);
  }
}

export function asFailure(error: unknown, secrets: readonly string[] = []): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  const known = error instanceof StepFailure;
  const code: FailureCode = known ? error.code : 'STEP_CRASHED';
  const hidden = (text: string) => withoutRowValues(redact(text, secrets));
  const message = hidden(error instanceof Error ? error.message : String(error));
  const details = known ? error.details.map(hidden) : [];
  const failure = ApplicationFailure.create({
    type: code,
    message: `${code}: ${message}`,
    nonRetryable: !failures[code].retryable,
    details: [{ code, remedy: failures[code].remedy, details }],
  });
  // The stack names the place of a crash, not this line.
  if (!known && error instanceof Error && error.stack) failure.stack = hidden(error.stack);
  return failure;
}
