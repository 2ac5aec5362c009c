// What is asked about a gate, and what is answered: what it seals, and whether it is open.
import type { Accepted } from './accepted.ts';
import type { SealedGateReport, SignedStart } from './messages.ts';
import type { Receipt } from './receipts.ts';
import type { SignedStatement } from './statements.ts';
import type { StepList } from './step-list.ts';
import type { Missing } from './waiting.ts';

export interface GateQuestion {
  readonly deployment: string;
  readonly list: StepList;
  readonly listHash: string;
  readonly start: SignedStart;
  readonly number: number;
  readonly before: {
    readonly environment: string;
    readonly commit: string;
    readonly soaked: string | null;
    readonly receipts: readonly Receipt[];
    readonly accepted?: readonly Accepted[];
    readonly statement?: SignedStatement;
  } | null;
}

/** The gate's state as a verdict: what is open, and whether it may be deployed to. */
export interface GateAnswer {
  readonly open: boolean;
  /** What still keeps it shut. */
  readonly waiting: readonly Missing[];
}

export interface GateState {
  readonly list: StepList;
  readonly gateReport: SealedGateReport | null;
  readonly requester: string;
  /** As in `VerifyInput`. */
  readonly requesters?: readonly string[];
  readonly approvals: readonly { readonly person: string; readonly roles: readonly string[] }[];
  readonly attestations: readonly {
    readonly id: string;
    readonly person: string;
    readonly roles: readonly string[];
  }[];
}
