// What the judges of an evidence package are given, and what each of them says of one line of it.
import type { Manifest } from '../evidence.ts';
import type {
  MessageName,
  SealedGateReport,
  Signed,
  SignedStart,
  StartBody,
  VerifiedMessage,
} from '../messages.ts';
import type { Quorum } from '../quorum.ts';
import type { ClosingStatement, SignedStatement, SoakStatement, StatementBound } from '../statements.ts';
import type { StepList } from '../step-list.ts';
import {
  demanded,
  type Guarded,
  peopleNamed,
  type TrustedKeys,
  type TrustedPerson,
} from '../trusted-keys.ts';

/** Signatures and hashes; false for anything that is not a good signature. */
export interface Checks {
  signed(message: Signed<object>, key: string): boolean;
  stated(statement: SignedStatement<StatementBound>, key: string): boolean;
  sealed(report: SealedGateReport, key: string): boolean;
  hash(value: unknown): string;
  /** Milliseconds since the epoch of an RFC 3339 text; NaN for another. */
  time(text: string): number;
}

export interface FiledMessage {
  readonly file: string;
  readonly record: VerifiedMessage;
  /** Why it was refused, as the package says; absent where it counted. */
  readonly refused?: string;
}

export interface FiledStatement {
  readonly file: string;
  readonly statement: SignedStatement<SoakStatement | ClosingStatement>;
}

export interface FiledReport {
  readonly file: string;
  readonly sealed: SealedGateReport;
  /** The report with which its environment was opened. */
  readonly opened: boolean;
}

/** Everything signed in a package, by the shape of it only. */
export interface SignedRecords {
  /** With the text of `plan.yaml`; null where it is missing or no start. */
  readonly start: SignedStart | null;
  readonly messages: readonly FiledMessage[];
  readonly statements: readonly FiledStatement[];
  readonly reports: readonly FiledReport[];
  /** What stands where signed records stand and is none. */
  readonly faults: readonly string[];
}

export interface Case {
  readonly keys: TrustedKeys;
  readonly check: Checks;
  readonly manifest: Manifest;
  readonly records: SignedRecords;
  /** As the start says them. */
  readonly start: StartBody | null;
  readonly requester: string | null;
  /** Environment → its list, compiled here from a plan that a trusted person signed; null where that fails. */
  readonly lists: ReadonlyMap<string, StepList> | null;
}

/** Who vouches for one line of a package; `fault` says why nobody does. */
export interface Line {
  /** A person, `worker of staging`, `control`. */
  readonly who: string;
  readonly roles: readonly string[];
  readonly what: string;
  readonly file: string;
  readonly fault: string | null;
}

/** What a judge has found. */
export interface Found {
  readonly lines: readonly Line[];
  /** What no single record is to blame for. */
  readonly faults: readonly string[];
  /** What nobody could vouch for, and what was not looked at. */
  readonly notes: readonly string[];
}

export const nothing: Found = { lines: [], faults: [], notes: [] };

/** A person's good signature, or why it is none. */
export function signerOf(
  { keys, check }: Case,
  signed: Signed<object>,
  environment: string,
): { readonly person: TrustedPerson } | { readonly fault: string } {
  const named = peopleNamed(keys, signed.person, environment);
  if (named.length === 0)
    return { fault: `unknown key: the trusted files name no ${signed.person} for ${environment}` };
  const person = named.find(({ key }) => check.signed(signed, key));
  return person ? { person } : { fault: `bad signature: it is not by the key of ${signed.person}` };
}

/** Why a person's roles do not suffice for what the environment's own file demands; null where they do. */
export function roleFault(
  { keys }: Case,
  person: TrustedPerson,
  environment: string,
  what: Guarded,
): string | null {
  const quorum = demanded(keys, environment, what);
  const wanted = quorum === null ? [] : rolesIn(quorum);
  if (wanted.length === 0 || person.roles === null) return null;
  return person.roles.some((role) => wanted.includes(role))
    ? null
    : `${environment} asks for ${wanted.join(', ')}; ${person.name} has ${person.roles.join(', ') || 'no role'}`;
}

/** Which guardrail a message needs. */
export const guardOf: Partial<Readonly<Record<MessageName, Guarded>>> = {
  decide: 'decide',
  rollback: 'rollback',
  pause: 'operate',
  resume: 'operate',
  abort: 'operate',
  checkNow: 'operate',
  extendSoak: 'operate',
};

export const rolesIn = (quorum: Quorum): readonly string[] => ('any' in quorum ? quorum.any : quorum.each);

export const short = (hash: string): string => `${hash.slice(0, 12)}…`;
