// What a runtime does: it has releases beside one another, runs one of them, and can be switched to another.
import type { UndoResult } from '../frame/receipt.ts';
import type { Work } from '../frame/step-context.ts';

/** What a question about one service needs. */
export type OfService = Pick<Work, 'service'>;

export interface Runtime {
  /**
   * Makes this rollout's release ready beside the one that runs; what is ready is left as it is.
   * @throws StepFailure RELEASE_FAILED
   */
  readonly prepare: (work: Work) => Promise<void>;
  /** The commit of the release that runs; undefined where none does. */
  readonly running: (work: OfService) => Promise<string | undefined>;
  /** The folder in which a process starts to be of the release that runs. */
  readonly folder: (work: OfService) => string;
  /** In one move: this release runs, once its services are restarted. Returns what people read. */
  readonly switchTo: (work: Work, commit: string) => Promise<string>;
  /** Back to the release that ran before; undefined where none did. Not done where that release is gone. */
  readonly revertTo: (work: Work, before: string | undefined) => Promise<UndoResult>;
}
