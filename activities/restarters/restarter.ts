// What a restarter does.
import type { RestarterKey, RestarterOptions } from '../../src/core/plan/restarters/index.ts';
import type { Work } from '../frame/step-context.ts';

/** A service with the options of its own tool. */
export interface Restarted<Key extends RestarterKey> {
  readonly name: string;
  readonly options: RestarterOptions[Key];
}

export interface Restarter<Key extends RestarterKey> {
  /** Programs that must be on the worker's path. */
  readonly tools: readonly string[];
  /** Ends the running service and starts it anew; done when it is up, or throws SERVICE_FAILED. */
  readonly restart: (work: Work, service: Restarted<Key>) => Promise<string>;
  /** Ends it and leaves it down. */
  readonly stop: (work: Work, service: Restarted<Key>) => Promise<string>;
}
