// All that a deployment knows while it runs, and the few things its modules do with it.
import type { EnvironmentOutcome } from '../src/core/activities.ts';
import type { DeploymentInput, DeploymentOutcome, RolloutResult } from './contract.ts';
import type { Gate } from './gate.ts';
import type { Answer } from './messages.ts';
import { type Progress, show, type LastSent } from './progress.ts';

export interface DeploymentState {
  readonly input: DeploymentInput;
  readonly progress: Progress;
  readonly lastSent: LastSent;
  readonly gates: Map<string, Gate>;
  /** Environment → service, of rollouts that have not ended. */
  readonly open: Map<string, string>;
  /** Environments whose rollout is still a running workflow: it ends a moment after it has told its outcome. */
  readonly running: Set<string>;
  readonly soaked: Map<string, EnvironmentOutcome>;
  readonly results: Map<string, RolloutResult>;
  /** Nonce → the rollout's answer. */
  readonly answered: Map<string, Answer>;
  readonly wantsChange: Set<string>;
  /** Place → what is waited for there. */
  readonly waits: Map<string, { readonly reason: string; readonly next: string | null }>;
  ended: { readonly outcome: DeploymentOutcome; readonly reason: string } | null;
  aborted: string | null;
  /** What voided the soak of an earlier environment last. */
  voided: string | null;
}

/** What one place waits for, or no longer; what several wait for is all lastSent, a rollout's question before a gate. */
export function setWaiting(
  state: DeploymentState,
  place: string,
  reason: string | null,
  next: string | null,
): void {
  state.waits.delete(place);
  if (reason !== null) state.waits.set(place, { reason, next });
  const waits = [...state.waits]
    .sort(([one], [other]) => Number(one.startsWith(GATE)) - Number(other.startsWith(GATE)))
    .map(([, wait]) => wait);
  state.progress.waitingFor = waits.length > 0 ? waits.map((wait) => wait.reason).join(' · ') : null;
  state.progress.next = waits.find((wait) => wait.next !== null)?.next ?? null;
  show(state.progress, state.lastSent);
}

const GATE = 'gate of ';
export const gateOf = (environment: string): string => `${GATE}${environment}`;

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

export const outcomeOf = (result: RolloutResult): DeploymentOutcome =>
  ({ passed: 'completed', failed: 'failed', restored: 'rolled-back', stuck: 'stuck' } as const)[
    result.outcome
  ];
