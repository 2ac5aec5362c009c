// Inputs, results and the two signals between a deployment and its rollouts. Types only.
import type { Accepted } from '../src/core/accepted.ts';
import type { EnvironmentOutcome } from '../src/core/activities.ts';
import type { Permit, Signed, SignedStart } from '../src/core/messages.ts';
import type { RolloutRef } from '../src/core/ids.ts';
import type { ClosingStatement, SignedStatement } from '../src/core/statements.ts';
import type { StepList } from '../src/core/step-list.ts';
import type { Waiting } from '../src/core/waiting.ts';

export interface EnvironmentRun {
  readonly list: StepList;
  readonly rollout: RolloutRef;
}

export interface DeploymentInput {
  readonly start: SignedStart;
  /** In the order in which they are entered. */
  readonly runs: readonly EnvironmentRun[];
  readonly timing?: Timing;
}

/** Handed in so that tests can skip time; heartbeats are throttled in real time. */
export interface Timing {
  readonly heartbeatMs?: number;
  readonly observeHeartbeatMs?: number;
  /** Until the first repetition of what failed; the later ones follow from it. */
  readonly retryMs?: number;
}

export interface RolloutInput {
  readonly run: EnvironmentRun;
  readonly permit: Permit;
  readonly timing?: Timing;
  /** Whether an earlier environment must be closed before the first change here. */
  readonly asksBeforeChange: boolean;
}

export type RolloutOutcome = 'passed' | 'failed' | 'restored' | 'stuck';

export interface RolloutResult extends EnvironmentOutcome {
  /** The environment did not take the permit: somebody whose word was in it no longer counts, or never did. */
  readonly permitRefused?: true;
  readonly outcome: RolloutOutcome;
  readonly reason: string;
}

/** What a deployment tells a rollout, by the signal `command`. `stop`: its permit is void, it rolls back. */
export type Command =
  | { readonly is: 'message'; readonly signed: Signed }
  | { readonly is: 'close' }
  | { readonly is: 'proceed'; readonly earlier?: SignedStatement<ClosingStatement> }
  | { readonly is: 'stop'; readonly why: string };

/** What a rollout tells its deployment, by the signal `fact`. */
export type Fact =
  | { readonly is: 'soakPassed'; readonly environment: string; readonly outcome: EnvironmentOutcome }
  | { readonly is: 'soakVoided'; readonly environment: string; readonly why: string }
  | { readonly is: 'aboutToChange'; readonly environment: string }
  | { readonly is: 'waiting'; readonly environment: string; readonly waiting: Waiting | null }
  | {
      readonly is: 'answered';
      readonly nonce: string;
      readonly accepted: boolean;
      readonly text: string;
      /** Whether the environment had found the signature good. */
      readonly known?: boolean;
    }
  /** Many that could not count, in one signal. */
  | { readonly is: 'dropped'; readonly answers: readonly { readonly nonce: string; readonly why: string }[] }
  | { readonly is: 'ended'; readonly environment: string; readonly result: RolloutResult };

export type DeploymentOutcome = 'completed' | 'failed' | 'rolled-back' | 'rejected' | 'expired' | 'stuck';

export interface DeploymentResult {
  readonly deployment: string;
  readonly outcome: DeploymentOutcome;
  readonly reason: string;
  readonly environments: readonly {
    readonly environment: string;
    readonly outcome: string;
    readonly accepted?: readonly Accepted[];
  }[];
  readonly evidence: { readonly uri: string; readonly manifest: string; readonly files: number };
}
