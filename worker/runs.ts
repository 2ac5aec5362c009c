// What a worker process runs.
import type { Worker } from '@temporalio/worker';

export interface Runs {
  readonly workers: readonly Worker[];
  /** Goes on beside them until they have ended. */
  readonly beside?: (over: AbortSignal) => Promise<void>;
}
