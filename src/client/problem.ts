// What stops a request, said for people: what, where, and what to do next. The CLI makes exit codes of the
// kinds, the API statuses.

import type { FailureCode } from '../core/failures.ts';

export type ProblemKind =
  | 'usage'
  | 'unknown'
  | 'conflict'
  | 'not-allowed'
  | 'pending'
  | 'busy'
  | 'unreachable';

export interface ProblemMore {
  /** Everything that is wrong, one line each. */
  readonly details?: readonly string[];
  /** Where the table of failures has a code for it. */
  readonly failure?: FailureCode;
}

/** An expected refusal, never a fault of ours. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly kind: ProblemKind;
  /** What to do next, or null where the message says it. */
  readonly next: string | null;
  readonly details: readonly string[];
  readonly failure: FailureCode | null;
  constructor(
    kind: ProblemKind,
    message: string,
    next: string | null = null,
    { details = [], failure }: ProblemMore = {},
  ) {
    super(message);
    this.kind = kind;
    this.next = next;
    this.details = details;
    this.failure = failure ?? null;
  }
}

/** The message of whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Does the work; what goes wrong in it is the caller's to mend. */
export async function asUsage<T>(work: () => Promise<T>, next: string | null = null): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem('usage', messageOf(error), next);
  }
}
