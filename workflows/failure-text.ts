// What a failed activity says to people.
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';

/** The words of a failure for people: `CODE: message`. */
export function failureText(error: unknown): string {
  const cause = error instanceof ActivityFailure ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message : String(cause);
}

/** What the table of failures and the step itself say besides. */
export function failureDetails(error: unknown): readonly string[] {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (!(cause instanceof ApplicationFailure)) return [];
  const [first] = (cause.details ?? []) as { details?: readonly string[]; remedy?: string }[];
  return [...(first?.details ?? []).slice(0, 10), ...(first?.remedy ? [first.remedy] : [])];
}
