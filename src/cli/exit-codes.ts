// What a command's exit code says: the outcome of the deployment, or why the command could not do its work.
import { exitCodes } from '../client/outcome.ts';
import type { ProblemKind } from '../client/problem.ts';

export { exitCodes, exitOfOutcomes, exitOfStatus, goesOn } from '../client/outcome.ts';

/** For the end of `soakgate --help` and the README. */
export const exitCodeText =
  'Exit codes: 0 completed or done, 1 failed, 2 usage or plan, 3 rolled back, 4 rejected or expired, ' +
  '5 stuck, 6 conflict,\n' +
  '7 not allowed, 8 pending, 70 internal error, 124 watch timed out, 130 Ctrl-C (which never stops a ' +
  'deployment).';

export function exitOfProblem(kind: ProblemKind): number {
  if (kind === 'unknown') return exitCodes.usage;
  return kind === 'unreachable' || kind === 'busy' ? exitCodes.internal : exitCodes[kind];
}
