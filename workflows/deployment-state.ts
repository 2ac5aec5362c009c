// All that a deployment knows while it runs, and the few things its modules do with it.
import type { EnvironmentOutcome } from '../src/core/activities.ts';
import type { Signed } from '../src/core/messages.ts';
import { type Refusals, refuse } from '../src/core/refused.ts';
import type { Waiting } from '../src/core/waiting.ts';
import type { DeploymentInput, DeploymentOutcome, RolloutResult } from './contract.ts';
import type { Gate } from './gate.ts';
import type { Judged } from './messages.ts';
import { type Progress, type LastSent, show } from './progress.ts';

export interface DeploymentState {
  readonly input: DeploymentInput;
  readonly progress: Progress;
  readonly lastSent: LastSent;
  readonly gates: Map<string, Gate>;
  /** Environments whose rollout this deployment has begun: nothing that is said of others is true. */
  readonly begun: Set<string>;
  /** Environment → service, of rollouts that have not ended. */
  readonly open: Map<string, string>;
  /**
   * Environments whose rollout is still a running workflow: it ends a moment after it has told its outcome.
   */
  readonly running: Set<string>;
  readonly soaked: Map<string, EnvironmentOutcome>;
  readonly results: Map<string, RolloutResult>;
  /** Nonce → the rollout's answer. */
  readonly answered: Map<string, Judged>;
  readonly wantsChange: Set<string>;
  /** Of rollouts by environment. */
  readonly rolloutWaits: Map<string, Waiting>;
  /** Of gates by environment. */
  readonly gateWaits: Map<string, Waiting>;
  /** What did not count, for the evidence. */
  readonly refusals: Refusals;
  ended: { readonly outcome: DeploymentOutcome; readonly reason: string } | null;
  aborted: string | null;
  /** What voided the soak of an earlier environment last. */
  voided: string | null;
}

const REFUSALS_KEPT = 50;

/**
 * What a rollout or a gate waits for, or no longer; what several wait for is all shown, a rollout's question
 * before a gate.
 */
export function setWaiting(
  state: DeploymentState,
  at: 'rollout' | 'gate',
  environment: string,
  waiting: Waiting | null,
): void {
  const waits = at === 'rollout' ? state.rolloutWaits : state.gateWaits;
  waits.delete(environment);
  if (waiting) waits.set(environment, waiting);
  state.progress.waiting = [...state.rolloutWaits.values(), ...state.gateWaits.values()];
  show(state.progress, state.lastSent);
}

export function setStep(
  state: DeploymentState,
  environment: string,
  to: Progress['lines'][number]['state'],
  summary: string,
): void {
  const found = state.progress.lines.find((candidate) => candidate.name === environment);
  if (found) Object.assign(found, { state: to, summary });
  show(state.progress, state.lastSent);
}

/**
 * Keeps the first refusals, so that a flood does not fill the progress. `known`: the environment has found the
 * signature good, and has written the message down.
 */
export function recordRefusal(
  { progress, refusals }: DeploymentState,
  signed: Signed,
  why: string,
  known: boolean,
): void {
  refuse(refusals, signed, why, known);
  if (progress.refusals.length >= REFUSALS_KEPT) return;
  const { message, person, body } = signed;
  progress.refusals.push({ message, person, environment: body.environment, why });
}

export const outcomeOf = (result: RolloutResult): DeploymentOutcome =>
  ({ passed: 'completed', failed: 'failed', restored: 'rolled-back', stuck: 'stuck' } as const)[
    result.outcome
  ];
