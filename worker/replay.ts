// Replays histories with the workflow code of this version.
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { workflowSource } from './workflow-code.ts';

export type ReplayedHistories = Parameters<typeof Worker.runReplayHistories>[1];

export interface Replayed {
  readonly workflowId: string;
  /** Why this version cannot take it over; null when it fits. */
  readonly why: string | null;
}

/**
 * What a replay logs says less than its answer. To be called before anything else of the worker's library is
 * used.
 */
export const beQuiet = (): void => {
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
};

/** One answer for each history, in their order. */
export async function* replayAll(histories: ReplayedHistories): AsyncGenerator<Replayed> {
  for await (const { workflowId, error } of Worker.runReplayHistories(workflowSource(), histories))
    yield { workflowId, why: error?.message ?? null };
}
