// What workflows may ask for: names, inputs and results of all activities. Core types only, so that
// nothing of Node becomes visible in a workflow.
import type { Accepted } from './accepted.ts';
import type { SealedEvidence } from './evidence.ts';
import type { Decision, Trouble } from './matrix.ts';
import type {
  VerifiedMessage,
  GateReport,
  Permit,
  SealedGateReport,
  Signed,
  SignedStart,
} from './messages.ts';
import type { GateAnswer, GateQuestion, GateState } from './gate-question.ts';
import type { RolloutRef } from './ids.ts';
import type { Attestation, EnvironmentPlan, Json } from './plan/plan.ts';
import type { Receipt, UndoReceipt } from './receipts.ts';
import type { Refusals } from './refused.ts';
import type { ObserveResult, SoakState } from './soak.ts';
import type { ClosingStatement, SignedStatement } from './statements.ts';
import type { StackEntry, Step, StepKind, StepList, UndoKind } from './step-list.ts';
import type { MessageVerdict, SiftInput, SiftResult } from './message-verdict.ts';

export interface StepInput {
  readonly rollout: RolloutRef;
  readonly step: Step;
  /** That the environment before is closed, by its own worker; without it nothing is changed here. */
  readonly earlier?: SignedStatement<ClosingStatement>;
}

export interface UndoInput {
  readonly rollout: RolloutRef;
  readonly step: Step;
  /** Of the undo's entry. */
  readonly args?: Readonly<Record<string, Json>>;
  /** What people signed for this rollback, where the fallback asks for it; verified again where it writes. */
  readonly approvals?: readonly Signed[];
}

/** A forward fix: one prepared migration more, instead of a rollback. */
export interface ForwardInput {
  readonly rollout: RolloutRef;
  /** The migrate step, under whose permit it runs. */
  readonly step: Step;
  readonly fallback: string;
}

export interface OpenRolloutInput {
  readonly rollout: RolloutRef;
  readonly permit: Permit;
}

/** What a gate asks when its permit is used. */
export interface BeforeDeployingInput {
  readonly deployment: string;
  readonly facts: readonly string[];
  /** Whose attestation of the notice counts. */
  readonly noticeBy: readonly string[];
  readonly window: EnvironmentPlan['window'] | null;
}

export interface CompareInput {
  readonly rollout: RolloutRef;
  readonly ran: readonly StackEntry[];
}

/** What a rollback left, compared with what was recorded. */
export interface Comparison {
  readonly equal: boolean;
  /** Named one by one: what should not be there, or is missing. */
  readonly differences: readonly string[];
  /** Rows that the app wrote since, and rows that stay fixed, listed by key. */
  readonly writtenSince: readonly string[];
  readonly summary: string;
}

/** Rows that others have written since the backup, the largest loss first. */
export interface Newer {
  readonly rows: number;
  readonly tables: readonly { readonly table: string; readonly rows: number }[];
  /** For people. */
  readonly summary: string;
}

export interface VerifyInput {
  readonly deployment: string;
  readonly environment: string;
  readonly signed: Signed;
  /** What the person was shown, for messages that bind to it. */
  readonly expect: {
    readonly gateReport?: string;
    /** The sealed report itself, where one stands. */
    readonly sealed?: SealedGateReport;
    readonly plan: string;
    readonly list?: string;
    readonly commit?: string;
    readonly requester: string;
    /** Everybody whose name stands under the start; absent in histories of before, where it was the requester alone. */
    readonly requesters?: readonly string[];
    /** What waits for an answer now: signatures that count together answer the same question. */
    readonly question?: string;
    /** What the gate asks of people; the guardrails of the environment may ask for more. */
    readonly gate?: { readonly roles: readonly string[]; readonly attested: readonly Attestation[] };
  };
}

export interface ObserveInput {
  readonly rollout: RolloutRef;
  readonly phase: 'soak' | 'watch';
  /** Length of this slice in real milliseconds. */
  readonly sliceMs: number;
  readonly state: SoakState;
  /** People are being asked about what was read: no verdict on the whole meanwhile. */
  readonly asking?: true;
}

/** One look of the post-deployment checks, and what it takes from the one before. */
export interface AfterwardsInput {
  readonly rollout: RolloutRef;
  /** From 0. */
  readonly number: number;
  readonly before: AfterwardsMemory;
}

/** What the next look is measured from. */
export interface AfterwardsMemory {
  /** RFC 3339 of the last sample of each monitor. */
  readonly since: SoakState['since'];
  readonly counters: SoakState['counters'];
}

export interface AfterwardsResult {
  /**
   * `superseded`: another release serves, or a later deployment has passed; `held`: a rollout is open, so
   * nothing was read.
   */
  readonly is: 'read' | 'superseded' | 'held';
  readonly why: string;
  /** RFC 3339. */
  readonly at: string;
  /** One line a metric. */
  readonly metrics: readonly string[];
  /** Alerts, and metrics without enough data. */
  readonly troubles: readonly string[];
  readonly memory: AfterwardsMemory;
}

/** Run on an environment's own queue; every one is compared with the kept permit and list. */
export type EnvironmentActivities = Readonly<Record<StepKind, (input: StepInput) => Promise<Receipt>>> &
  Readonly<Record<UndoKind, (input: UndoInput) => Promise<UndoReceipt>>> & {
    /** Checks the permit, recompiles the list, keeps both. */
    readonly openRollout: (input: OpenRolloutInput) => Promise<Receipt>;
    readonly forwardFix: (input: ForwardInput) => Promise<Receipt>;
    readonly compareRollback: (input: CompareInput) => Promise<Comparison>;
    readonly countNewer: (input: { readonly rollout: RolloutRef }) => Promise<Newer>;
    readonly closeRollout: (input: {
      readonly rollout: RolloutRef;
      readonly outcome: string;
    }) => Promise<SignedStatement<ClosingStatement> | null>;
    readonly beforeDeploying: (
      input: BeforeDeployingInput,
    ) => Promise<{ readonly open: boolean; readonly waitMs: number | null; readonly why: string }>;
    readonly verify: (input: VerifyInput) => Promise<MessageVerdict>;
    readonly sift: (input: SiftInput) => Promise<SiftResult>;
  };

export interface ObserveActivities {
  readonly observe: (input: ObserveInput) => Promise<ObserveResult>;
  readonly checkAfterwards: (input: AfterwardsInput) => Promise<AfterwardsResult>;
}

export interface DecideInput {
  readonly list: StepList;
  readonly trouble: Trouble;
  /** Of the step in trouble, where it came to an end. */
  readonly receipt?: Receipt;
}

export interface RollbackQuestion {
  readonly list: StepList;
  readonly stack: readonly StackEntry[];
  readonly passed: readonly StepKind[];
  readonly fallback: string | null;
}

/** Whether a fallback may be walked, by what people have signed for it. */
export interface FallbackQuestion {
  readonly list: StepList;
  readonly fallback: string;
  readonly approvals: readonly { readonly person: string; readonly roles: readonly string[] }[];
}

/** What a forward fix runs as: the migrate step, and the undo that is registered before it begins. */
export interface ForwardPlan {
  readonly step: Step;
  readonly entry: StackEntry;
}

/** How a rollback has come out, as far as it went. */
export interface RollbackOutcome {
  readonly list: StepList;
  /** The fallback that was walked; null where all was undone step by step. */
  readonly fallback: string | null;
  readonly undos: readonly UndoReceipt[];
  /** The differences at which it stopped; null where every undo was done and compared. */
  readonly stopped: readonly string[] | null;
  readonly comparison: Comparison | null;
}

/** What remains of a rollback, and by which other fallbacks of the matrix people may go on. */
export interface RollbackVerdict {
  readonly differences: readonly string[];
  readonly fallbacks: readonly string[];
}

export interface CloseEvidenceInput {
  readonly deployment: string;
  readonly outcome: string;
  readonly start: SignedStart;
  readonly workflows: readonly string[];
  readonly environments: readonly EnvironmentOutcome[];
  /**
   * Approvals and attestations that stood at the gates; what else people signed was written by the place that
   * verified it.
   */
  readonly approvals: readonly VerifiedMessage[];
  /** What did not count; absent where an older version asks. */
  readonly refusals?: Refusals;
}

export interface EnvironmentOutcome {
  readonly environment: string;
  readonly outcome: string;
  readonly receipts: readonly Receipt[];
  readonly undos: readonly UndoReceipt[];
  readonly differences: readonly string[];
  readonly soak: string | null;
  /** What its worker has signed about it. */
  readonly statement?: SignedStatement;
  readonly closing?: SignedStatement<ClosingStatement>;
  /** What did not pass and was let pass; absent when nothing was. */
  readonly accepted?: readonly Accepted[];
  /** What the comparison after a rollback found. */
  readonly comparison?: Comparison;
}

/** Run on the control queue: decisions, gate reports, evidence. No database credentials. */
export interface ControlActivities {
  readonly decide: (input: DecideInput) => Promise<Decision>;
  readonly judgeFallback: (input: FallbackQuestion) => Promise<{ readonly missing: readonly string[] }>;
  readonly planForward: (input: {
    readonly list: StepList;
    readonly fallback: string;
  }) => Promise<ForwardPlan | null>;
  readonly planRollback: (input: RollbackQuestion) => Promise<readonly StackEntry[]>;
  readonly judgeRollback: (input: RollbackOutcome) => Promise<RollbackVerdict>;
  readonly sealGateReport: (
    input: GateQuestion,
  ) => Promise<{ sealed: SealedGateReport | null; gateReport: GateReport }>;
  readonly judgeGate: (input: GateState) => Promise<GateAnswer>;
  readonly closeEvidence: (input: CloseEvidenceInput) => Promise<SealedEvidence>;
}
