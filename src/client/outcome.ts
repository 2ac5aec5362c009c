// How a deployment has ended, as one number: a command's exit code, and the same in the answers of the
// server.
import type { DeploymentOutcome, RolloutOutcome } from '../../workflows/contract.ts';
import type { DeploymentStatus } from './status.ts';

/** The outcome of the deployment, or why a command could not do its work. */
export const exitCodes = {
  completed: 0,
  failed: 1,
  usage: 2,
  'rolled-back': 3,
  rejected: 4,
  expired: 4,
  stuck: 5,
  conflict: 6,
  'not-allowed': 7,
  pending: 8,
  internal: 70,
  'timed-out': 124,
  interrupted: 130,
} as const satisfies Readonly<Record<DeploymentOutcome, number>> & Readonly<Record<string, number>>;

const ofOutcome: Readonly<Record<RolloutOutcome, number>> = {
  passed: exitCodes.completed,
  failed: exitCodes.failed,
  restored: exitCodes['rolled-back'],
  stuck: exitCodes.stuck,
};

/** The worst of several endings of rollouts. */
export function exitOfOutcomes(outcomes: readonly RolloutOutcome[]): number {
  return Math.max(0, ...outcomes.map((outcome) => ofOutcome[outcome]));
}

/** Whether anything of it still goes on: a terminated deployment's rollouts may still be rolling back. */
export function goesOn({ state, environments }: DeploymentStatus): boolean {
  return state === 'running' || environments.some((environment) => environment.state === 'running');
}

/**
 * The outcome's code; 8 while it goes on. What was ended from outside is as its rollouts are: one that was
 * ended too is stuck, unless it had not begun.
 */
export function exitOfStatus(status: DeploymentStatus): number {
  if (status.result) return exitCodes[status.result.outcome];
  if (goesOn(status)) return exitCodes.pending;
  const entered = status.environments.filter(({ state }) => state !== 'none');
  const code = exitOfOutcomes(
    entered.map(({ result, lost }) => result?.outcome ?? (lost ? 'stuck' : 'failed')),
  );
  return code === exitCodes.completed ? exitCodes.failed : code;
}
