// A worker's own record of one rollout: what was begun here, what came of it, and what people signed about it. It is
// written line by line, and read as a whole before each step and each undo.
import { decide, type Decision, peopleDecide, type Trouble } from './matrix.ts';
import type { Receipt } from './receipts.ts';
import type { StackEntry, StepKind, StepList, UndoKind } from './step-list.ts';
import type { Verdict } from './verdict.ts';

/** What of a receipt the matrix asks for. */
export type LedgerReceipt = Pick<Receipt, 'kind' | 'figures'>;

/**
 * One line, dated in milliseconds since the epoch. `attempt` names one attempt, so that a late one cannot speak for a
 * later one; `call` names one call, whose attempts are the same forward fix.
 */
export type LedgerEntry = { readonly at: number } & (
  | { readonly is: 'begun'; readonly index: number; readonly attempt: string }
  | {
      readonly is: 'ended';
      readonly index: number;
      readonly attempt: string;
      readonly verdict: Verdict;
      readonly receipt?: LedgerReceipt;
    }
  | { readonly is: 'undoing'; readonly undo: string; readonly step: string }
  | { readonly is: 'undone'; readonly undo: string; readonly step: string; readonly done: boolean }
  | { readonly is: 'forwarding'; readonly index: number; readonly fallback: string; readonly call: string }
  | { readonly is: 'forwarded'; readonly fallback: string; readonly call: string; readonly verdict: Verdict }
  | {
      readonly is: 'signed';
      readonly message: string;
      readonly word: string | null;
      readonly nonce: string;
      /** When, by the signer's clock; milliseconds since the epoch. */
      readonly signedAt: number;
    }
  | {
      readonly is: 'breach';
      readonly monitor: string;
      readonly metric: string;
      readonly symptom: 'alert' | 'inconclusive';
      readonly lastedMs: number;
      readonly text: string;
    }
  | { readonly is: 'observed'; readonly phase: 'soak' | 'watch' }
  | { readonly is: 'compared'; readonly equal: boolean }
);

/** A line before it is dated. */
export type LedgerLine = LedgerEntry extends infer Entry
  ? Entry extends LedgerEntry
    ? Omit<Entry, 'at'>
    : never
  : never;

export type BreachTrouble = Extract<Trouble, { monitor: string }>;

/** Something that went wrong and was not let pass yet. */
export interface OpenTrouble {
  readonly trouble: Trouble;
  readonly receipt?: LedgerReceipt;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** The fallback that people signed for it. */
  readonly chosen?: string;
  /** The breach that it began as; none where a step is in trouble. */
  readonly breach?: { readonly trouble: BreachTrouble; readonly text: string; readonly since: number };
}

export interface Undone {
  readonly undo: UndoKind;
  readonly step: string;
  readonly done: boolean;
}

export interface Ledger {
  /** Steps that were ever begun, in that order, and forward fixes: what there is to undo. */
  readonly stack: readonly StackEntry[];
  /** In the order in which they were first begun. */
  readonly begun: ReadonlySet<number>;
  /** Steps whose last attempt passed, or that were let pass. */
  readonly over: ReadonlySet<number>;
  /** Kinds of the steps whose last attempt passed. */
  readonly passed: readonly StepKind[];
  /** Steps in trouble by their index, breaches by `monitor/metric`, in the order in which they came. */
  readonly open: ReadonlyMap<number | string, OpenTrouble>;
  readonly undos: readonly Undone[];
  /** An undo was begun: from here nothing goes forward. */
  readonly goingBack: boolean;
  /** When the first undo was begun, in milliseconds since the epoch; null where none was. */
  readonly backSince: number | null;
  /** The fallbacks that people signed. */
  readonly signed: ReadonlySet<string>;
  /** Forward fixes that people signed about no trouble of this record, and that were not taken yet. */
  readonly unused: ReadonlySet<string>;
  /** The call of the last forward fix. */
  readonly lastForward: string | null;
  /** How often a forward fix has passed: what was observed before is of another schema. */
  readonly forwards: number;
  /** People signed that it may be left as it is. */
  readonly left: boolean;
  /** Soak or watch came to its end and nothing has been found since. */
  readonly observed: boolean;
  /** The last comparison found everything as recorded, and nothing was done since. */
  readonly equal: boolean;
}

/** Two clocks of two hosts measure the same hours as different ones. */
const SAME_CLOCK = 0.99;
/** The clocks of a signer and of this worker are never the same. */
export const CLOCKS_MS = 60_000;

/** Whether words that were signed then can be meant for what began at `since`. */
export const meantFor = (signedAt: number, since: number): boolean => signedAt + CLOCKS_MS >= since;

/** What the plan says about it, as it was and as it is by now: a line of the matrix may ask how long it lasts. */
export function decisionsAbout(list: StepList, open: OpenTrouble, now: number): readonly Decision[] {
  const { trouble, receipt, since } = open;
  const step = 'step' in trouble ? list.steps[trouble.index] : undefined;
  const people = step && receipt ? peopleDecide(step, receipt as Receipt) : null;
  return people ? [people] : [decide(list, trouble), decide(list, aged(trouble, since, now))];
}

/** The words that people may answer it with. */
export const optionsOf = (decisions: readonly Decision[]): readonly string[] =>
  decisions.flatMap((decision) =>
    decision.do === 'ask' ? decision.ask : decision.do === 'freeze' ? ['continue', 'stop'] : [],
  );

/** The trouble as it is now: nobody has answered, so it lasts. */
export const aged = <Any extends Trouble>(trouble: Any, since: number, now: number): Any =>
  'lastedMs' in trouble ? { ...trouble, lastedMs: trouble.lastedMs + Math.max(0, now - since) } : trouble;

/** What the plan says where nobody has answered in time; none before that. */
export function unanswered(list: StepList, open: OpenTrouble, now: number): readonly string[] {
  if (open.chosen !== undefined) return [];
  return decisionsAbout(list, open, now).flatMap((decision) => {
    const left = decision.do === 'ask' ? decision.unanswered : undefined;
    return left && now - open.since >= left.afterMs * SAME_CLOCK ? [left.do] : [];
  });
}

/** Whether the plan itself goes on past it: at once, or because nobody has answered in time. */
export function continues(list: StepList, open: OpenTrouble, now: number): boolean {
  if (decisionsAbout(list, open, now).at(-1)?.do === 'continue') return true;
  // Whatever else is said about a breach, it is not asked about again.
  const on = (word: string) => open.breach && word !== 'stop' && !Object.hasOwn(list.fallbacks, word);
  return unanswered(list, open, now).some((word) => word === 'continue' || on(word));
}

/** The forward fixes that this trouble may be answered with, by people, the plan or silence. */
export function forwardsFor(list: StepList, open: OpenTrouble, now: number): readonly string[] {
  const planned = decisionsAbout(list, open, now).flatMap((decision) =>
    decision.do === 'fallback' ? [decision.name] : [],
  );
  const names = open.chosen === undefined ? [...planned, ...unanswered(list, open, now)] : [open.chosen];
  return names.filter((name) => 'forward' in (list.fallbacks[name] ?? {}));
}
