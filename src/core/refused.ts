// Messages that did not count, as a deployment or rollout remembers them: bounded, whatever is sent.
import type { Signed } from './messages.ts';

/** What a message said of itself, whoever sent it, and why it changed nothing. */
export interface RefusedMessage {
  readonly message: string;
  readonly person: string;
  readonly environment: string;
  readonly nonce: string;
  readonly why: string;
}

export interface Refusals {
  /** The first that anybody has sent. */
  readonly listed: RefusedMessage[];
  /**
   * The first that a known person has signed, and that came too late or to nothing: their environment has written them
   * into the evidence as counted. Strangers cannot fill this list.
   */
  readonly signed: RefusedMessage[];
  /** How many more there were. */
  more: number;
  /** Signals that nobody could read. */
  unreadable: number;
}

const MOST_LISTED = 100;
const MOST_SIGNED = 300;
const LONGEST_WHY = 300;

export const noRefusals = (): Refusals => ({ listed: [], signed: [], more: 0, unreadable: 0 });

/** @param known whether the environment has found the signature good. */
export function refuse(
  refusals: Refusals,
  { message, person, body }: Signed,
  why: string,
  known: boolean,
): void {
  const list = known ? refusals.signed : refusals.listed;
  if (list.length >= (known ? MOST_SIGNED : MOST_LISTED)) {
    refusals.more += 1;
    return;
  }
  const { environment, nonce } = body;
  list.push({ message, person, environment, nonce, why: why.slice(0, LONGEST_WHY) });
}

/** One line of `refused.json` and of the table in SUMMARY.md. */
export interface RefusedEntry {
  readonly message: string;
  readonly person: string;
  readonly environment: string;
  readonly why: string;
  /** Where the signed message lies in the package; absent for what nobody known has signed. */
  readonly file?: string;
}

/** Everything that was refused, as the package has it. */
export interface RefusedRecord {
  readonly refused: readonly RefusedEntry[];
  readonly more: number;
  readonly unreadable: number;
}

const LONGEST_NAME = 80;

/** Without what moves a cursor, hides text or ends a cell: strangers wrote it. */
export const plainEntry = ({ message, person, environment, why, ...rest }: RefusedEntry): RefusedEntry => ({
  ...rest,
  message: plainText(message, LONGEST_NAME),
  person: plainText(person, LONGEST_NAME),
  environment: plainText(environment, LONGEST_NAME),
  why: plainText(why, LONGEST_WHY),
});

const plainText = (text: string, longest: number): string =>
  text
    .replaceAll(/[\p{C}\u2028\u2029]+/gu, ' ')
    .replaceAll(/[<>`]/gu, "'")
    .slice(0, longest);
