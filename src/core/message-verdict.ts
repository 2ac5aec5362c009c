// What an environment says about the messages of people: about one, and about many at once.
import type { CountedBeside, Signed } from './messages.ts';

/** Many, of which nobody knows yet whether a known person has signed them. */
export interface SiftInput {
  readonly deployment: string;
  readonly environment: string;
  readonly signed: readonly Signed[];
}

/** For each, in their order: why it cannot count, or null where it has to be verified by itself. */
export type SiftResult = readonly (string | null)[];

/** Whether a signed message counts, and for which roles. */
export interface MessageVerdict {
  readonly accepted: boolean;
  readonly person: string;
  readonly roles: readonly string[];
  readonly reason: string;
  /** When it was verified, RFC 3339; only where it counted. */
  readonly at?: string;
  /** Where several had to sign it: the others, whose words count with it. */
  readonly others?: readonly CountedBeside[];
  /** Whose signature is still missing beside it; until then it changes nothing. */
  readonly waiting?: string;
}
