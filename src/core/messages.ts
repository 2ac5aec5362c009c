// The messages that people sign, and what a signature covers (rule 8).
import { canonical } from './canonical.ts';
import type { Pace } from './pace.ts';
import type { Json } from './plan/plan.ts';
import type { SignedStatement } from './statements.ts';

export type MessageName =
  | 'start'
  | 'approve'
  | 'reject'
  | 'attest'
  | 'decide'
  | 'pause'
  | 'resume'
  | 'abort'
  | 'rollback'
  | 'checkNow'
  | 'extendSoak'
  | 'stopChecks';

/** What every signed message says besides its own business. */
export interface Bound {
  /** Our deployment id, never Temporal's run id. */
  readonly deployment: string;
  readonly environment: string;
  /** Temporal's namespace in which the deployment runs. */
  readonly namespace: string;
  readonly nonce: string;
  /** RFC 3339, by the signer's clock: it answers nothing that was asked later. */
  readonly signedAt: string;
  /** RFC 3339; the signature is worth nothing afterwards. */
  readonly expires: string;
}

export interface Signed<Body extends object = Bound & Readonly<Record<string, Json>>> {
  readonly message: MessageName;
  readonly person: string;
  readonly body: Body;
  /** base64 of the Ed25519 signature over `signedText`. */
  readonly signature: string;
}

/** A signature of somebody else under the same start: over the same words, with the own name. */
export interface CoSignature {
  readonly person: string;
  /** base64 of the Ed25519 signature over `signedText('start', person, body)`. */
  readonly signature: string;
}

/** The start, by the person who asks for it; others sign it before it is sent. No signature covers `also`. */
export interface SignedStart extends Signed<StartBody> {
  readonly also?: readonly CoSignature[];
}

export interface StartBody {
  readonly deployment: string;
  /** Temporal's namespace in which it may run. */
  readonly namespace: string;
  readonly nonce: string;
  readonly expires: string;
  /** The plan file as it was reviewed. */
  readonly planText: string;
  readonly planFile: string;
  /** sha256 of the canonical plan. */
  readonly plan: string;
  readonly commit: string;
  /** Path → sha256 at the commit, of the files that the plan names. */
  readonly files: Readonly<Record<string, string>>;
  readonly pace: Pace | null;
  /** Environment → sha256 of its canonical list. */
  readonly lists: Readonly<Record<string, string>>;
}

export interface ApproveBody extends Bound {
  readonly plan: string;
  readonly list: string;
  readonly commit: string;
  /** sha256 of the gate report that was shown. */
  readonly gateReport: string;
  readonly comment: string;
}

export interface AttestBody extends Bound {
  readonly plan: string;
  readonly attestation: string;
  readonly text: string;
}

/** Another signature about the same words. */
export interface CountedBeside {
  readonly signed: Signed;
  readonly roles: readonly string[];
}

/**
 * A signed message that counted: who decided, with which roles, and when it was verified (RFC 3339, by that
 * worker's clock).
 */
export interface VerifiedMessage {
  /** Where several had to sign it: the others. */
  readonly others?: readonly CountedBeside[];
  readonly signed: Signed;
  readonly roles: readonly string[];
  readonly at: string | null;
  /** Nonce of the message whose signature was the last that this one needed; absent for one that stands alone. */
  readonly completedBy?: string;
}

/** The text under the signature: a prefix for each kind of message, then RFC 8785 canonical JSON. */
export function signedText(
  message: MessageName | 'gateReport' | 'manifest' | 'statement' | 'permitStore',
  person: string,
  body: object,
): string {
  return `soakgate/${message}/v1\n${canonical({ person, body })}`;
}

/**
 * The gate's answer: the requester's signature and the people's approvals, verified where it opens something.
 */
export interface Permit {
  readonly start: SignedStart;
  readonly environment: string;
  readonly gateReport: SealedGateReport | null;
  readonly approvals: readonly Signed[];
  readonly attestations: readonly Signed[];
}

/** The sealed evidence that is decided on; signed by the control worker's key. */
export interface GateReport {
  readonly deployment: string;
  readonly environment: string;
  readonly number: number;
  readonly plan: string;
  readonly list: string;
  readonly commit: string;
  readonly requester: string;
  /** fact → whether it holds, and why. */
  readonly facts: Readonly<Record<string, { readonly holds: boolean; readonly why: string }>>;
  /** What the worker of the environment before has signed; null where there is none, or it has signed nothing. */
  readonly statement: SignedStatement | null;
  readonly summary: readonly string[];
}

export interface SealedGateReport {
  readonly gateReport: GateReport;
  readonly hash: string;
  /** base64, by the control worker's key. */
  readonly signature: string;
}
