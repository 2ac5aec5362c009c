// A worker's own record of one rollout: what was begun here, what came of it, and what people signed about it. It is
// written line by line, and read as a whole before each step and each undo.
import { decide, type Decision, peopleDecide, type Trouble } from './matrix.ts';
import type { Receipt } from './receipts.ts';
import type { StackEntry, StepKind, StepList, UndoKind } from './step-list.ts';
import { forwardEntry } from './undo.ts';
import type { Verdict } from './verdict.ts';

/** Two clocks of two hosts measure the same hours as different ones. */
const SAME_CLOCK = 0.99;
const SHUTS: readonly UndoKind[] = ['closeSite', 'stopServices'];

/** What of a receipt the matrix asks for. */
export type LedgerReceipt = Pick<Receipt, 'kind' | 'figures'>;

/** One line, dated in milliseconds since the epoch. `attempt` names one attempt: a late one cannot speak for a later one. */
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
  | { readonly is: 'forwarding'; readonly index: number; readonly fallback: string }
  | { readonly is: 'forwarded'; readonly fallback: string; readonly verdict: Verdict }
  | { readonly is: 'signed'; readonly message: string; readonly word: string | null; readonly nonce: string }
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

/** Something that went wrong and was not let pass yet. */
export interface OpenTrouble {
  readonly trouble: Trouble;
  readonly receipt?: LedgerReceipt;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** The fallback that people signed for it. */
  readonly chosen?: string;
  /** What a breach said, for people. */
  readonly text: string;
}

export interface Undone {
  readonly undo: UndoKind;
  readonly step: string;
  readonly done: boolean;
}

export interface Ledger {
  /** Steps that were ever begun, in that order, and forward fixes: what there is to undo. */
  readonly stack: readonly StackEntry[];
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
  /** The fallbacks that people signed. */
  readonly signed: ReadonlySet<string>;
  /** People signed that it may be left as it is. */
  readonly left: boolean;
  /** Soak or watch came to its end and nothing has been found since. */
  readonly observed: boolean;
  /** The last comparison found everything as recorded, and nothing was done since. */
  readonly equal: boolean;
}

interface Reading {
  readonly list: StepList;
  readonly stack: StackEntry[];
  readonly attempts: Map<number, string>;
  readonly over: Set<number>;
  readonly passed: StepKind[];
  readonly open: Map<number | string, OpenTrouble>;
  readonly undos: Undone[];
  readonly signed: Set<string>;
  readonly nonces: Set<string>;
  goingBack: boolean;
  left: boolean;
  observed: boolean;
  equal: boolean;
}

/** The record as a whole. */
export function ledgerOf(list: StepList, entries: readonly LedgerEntry[]): Ledger {
  const reading: Reading = {
    list,
    stack: [],
    attempts: new Map(),
    over: new Set(),
    passed: [],
    open: new Map(),
    undos: [],
    signed: new Set(),
    nonces: new Set(),
    goingBack: false,
    left: false,
    observed: false,
    equal: false,
  };
  for (const entry of entries) take(reading, entry);
  return { ...reading, begun: new Set(reading.attempts.keys()) };
}

/** What the plan says about it. */
export function decisionAbout(list: StepList, { trouble, receipt }: OpenTrouble): Decision {
  const step = 'step' in trouble ? list.steps[trouble.index] : undefined;
  return (step && receipt && peopleDecide(step, receipt as Receipt)) ?? decide(list, trouble);
}

/** The words that people may answer it with. */
export function optionsOf(decision: Decision): readonly string[] {
  if (decision.do === 'ask') return decision.ask;
  return decision.do === 'freeze' ? ['continue', 'stop'] : [];
}

/**
 * Whether the plan itself goes on past it: at once, or because nobody has answered in time. `now` in milliseconds since
 * the epoch.
 */
export function continues(list: StepList, open: OpenTrouble, now: number): boolean {
  const { trouble } = open;
  if (decisionAbout(list, { ...open, trouble: aged(trouble, open.since, now) }).do === 'continue')
    return true;
  const word = unanswered(list, open, now);
  if (word === null) return false;
  // Whatever else is said about a breach, it is not asked about again.
  return word === 'continue' || ('monitor' in trouble && word !== 'stop' && !isFallback(list, word));
}

const isFallback = ({ fallbacks }: StepList, word: string): boolean => Object.hasOwn(fallbacks, word);

/** A breach that nobody has answered lasts: the trouble as it is now. */
export const aged = <Any extends Trouble>(trouble: Any, since: number, now: number): Any =>
  'lastedMs' in trouble ? { ...trouble, lastedMs: trouble.lastedMs + Math.max(0, now - since) } : trouble;

function take(reading: Reading, entry: LedgerEntry): void {
  const since = entry.at;
  if (entry.is === 'begun' || entry.is === 'breach') settle(reading, since);
  switch (entry.is) {
    case 'begun':
      return begin(reading, entry, since);
    case 'ended':
      return end(reading, entry, since);
    case 'undoing':
      reading.goingBack = true;
      reading.equal = false;
      // It may shut something and never tell.
      if (SHUTS.includes(entry.undo as UndoKind))
        reading.undos.push({ undo: entry.undo as UndoKind, step: entry.step, done: false });
      return;
    case 'undone':
      reading.undos.push({ undo: entry.undo as UndoKind, step: entry.step, done: entry.done });
      return;
    case 'forwarding':
      reading.stack.push(forwardEntry(reading.list.steps[entry.index]!, entry.fallback));
      return;
    case 'forwarded':
      return takeForward(reading, entry, since);
    case 'signed':
      return takeSigned(reading, entry);
    case 'breach': {
      const { monitor, metric, symptom, lastedMs, text } = entry;
      const id = `${monitor}/${metric}`;
      reading.observed = false;
      reading.open.delete(id);
      reading.open.set(id, { trouble: { monitor, metric, is: symptom, lastedMs }, since, text });
      return;
    }
    case 'observed':
      reading.observed = true;
      return;
    case 'compared':
      reading.equal = entry.equal;
  }
}

/** Until its end is written, a step is in trouble: its worker may have died with it. */
function begin(reading: Reading, entry: LedgerEntry & { is: 'begun' }, since: number): void {
  const step = reading.list.steps[entry.index]!;
  if (!reading.attempts.has(entry.index) && step.undo)
    reading.stack.push({ index: step.index, step: step.name, undo: step.undo });
  reading.attempts.set(entry.index, entry.attempt);
  reading.over.delete(entry.index);
  reading.equal = false;
  reading.open.set(entry.index, {
    trouble: { step: step.name, index: step.index, is: 'error' },
    since,
    text: `${step.name} has not ended`,
  });
}

function end(reading: Reading, entry: LedgerEntry & { is: 'ended' }, since: number): void {
  const { index, attempt, verdict, receipt } = entry;
  if (reading.attempts.get(index) !== attempt) return;
  const step = reading.list.steps[index]!;
  reading.open.delete(index);
  if (verdict === 'pass') {
    reading.over.add(index);
    reading.passed.push(step.kind);
    return;
  }
  reading.over.delete(index);
  reading.open.set(index, {
    trouble: { step: step.name, index, is: verdict },
    ...(receipt && { receipt }),
    since,
    text: `${step.name}: ${verdict}`,
  });
}

/** A forward fix answers the trouble it was taken for; after one in a soak it is another schema that is observed. */
function takeForward(reading: Reading, entry: LedgerEntry & { is: 'forwarded' }, since: number): void {
  const found = [...reading.open].find(
    ([, open]) => forwardFor(reading.list, open, since) === entry.fallback,
  );
  if (!found) return;
  const [of, open] = found;
  if (entry.verdict !== 'pass') {
    reading.open.set(of, { trouble: { fallback: entry.fallback, is: 'fail' }, since, text: open.text });
    return;
  }
  if (typeof of === 'number') letPass(reading, of);
  else for (const id of reading.open.keys()) if (typeof id === 'string') reading.open.delete(id);
  reading.observed = false;
}

/** The forward fix that this trouble is answered with, by people, the plan or silence; null where it is none. */
export function forwardFor(list: StepList, open: OpenTrouble, now: number): string | null {
  const decision = decisionAbout(list, open);
  const planned = decision.do === 'fallback' ? decision.name : unanswered(list, open, now);
  const name = open.chosen ?? planned;
  return name !== null && 'forward' in (list.fallbacks[name] ?? {}) ? name : null;
}

/** What the plan says where nobody has answered in time; null before that. `now` in milliseconds since the epoch. */
export function unanswered(list: StepList, open: OpenTrouble, now: number): string | null {
  if (open.chosen !== undefined) return null;
  const decision = decisionAbout(list, open);
  const left = decision.do === 'ask' ? decision.unanswered : undefined;
  return left && now - open.since >= left.afterMs * SAME_CLOCK ? left.do : null;
}

/** What the plan itself has gone on past is answered: nobody's word is about it any more. */
function settle(reading: Reading, now: number): void {
  for (const [of, open] of reading.open) if (continues(reading.list, open, now)) letPass(reading, of);
}

function letPass(reading: Reading, of: number | string): void {
  reading.open.delete(of);
  if (typeof of === 'number') reading.over.add(of);
}

function takeSigned(reading: Reading, entry: LedgerEntry & { is: 'signed' }): void {
  const { list, open, signed, nonces } = reading;
  const { message, word, nonce } = entry;
  if (nonces.has(nonce)) return;
  nonces.add(nonce);
  if (word === null) return;
  const isFallback = Object.hasOwn(list.fallbacks, word);
  if (isFallback) signed.add(word);
  if (message !== 'decide') return;
  if (word === 'leave-as-is' || word === 'stop') reading.left = true;
  const asked = [...open].find(([, one]) => optionsOf(decisionAbout(list, one)).includes(word));
  if (!asked || word === 'stop') return;
  const [of, one] = asked;
  if (isFallback) open.set(of, { ...one, chosen: word });
  // Whatever else is said about a breach, it is not asked about again until it has cleared.
  else if (word === 'continue' || typeof of === 'string') letPass(reading, of);
}
