// The short name of a rollout, derived wherever it is needed.
import { sha256 } from './files.ts';

/** First 10 hex of sha256 of `<deployment>/<environment>`. */
export const rolloutHash = (deployment: string, environment: string): string =>
  sha256(`${deployment}/${environment}`).slice(0, 10);
