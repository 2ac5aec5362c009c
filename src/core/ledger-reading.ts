// Reads a worker's own record of a rollout, line by line, into what it says as a whole.
import {
  type BreachTrouble,
  continues,
  decisionsAbout,
  forwardsFor,
  type Ledger,
  type LedgerEntry,
  meantFor,
  type OpenTrouble,
  optionsOf,
  type Undone,
} from './ledger.ts';
import type { StackEntry, StepKind, StepList, UndoKind } from './step-list.ts';
import { forwardEntry } from './undo.ts';

const SHUTS: readonly UndoKind[] = ['closeSite', 'stopServices'];

interface Reading {
  readonly list: StepList;
  readonly stack: StackEntry[];
  readonly attempts: Map<number, string>;
  readonly over: Set<number>;
  readonly passed: StepKind[];
  readonly open: Map<number | string, OpenTrouble>;
  readonly undos: Undone[];
  readonly signed: Set<string>;
  readonly unused: Set<string>;
  readonly nonces: Set<string>;
  /** The forward fix that was taken last, and the trouble that it answers. */
  forward: { readonly call: string; readonly of: number | string | null; readonly open?: OpenTrouble } | null;
  forwards: number;
  goingBack: boolean;
  backSince: number | null;
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
    unused: new Set(),
    nonces: new Set(),
    forward: null,
    forwards: 0,
    goingBack: false,
    backSince: null,
    left: false,
    observed: false,
    equal: false,
  };
  for (const entry of entries) take(reading, entry);
  const { forward, attempts } = reading;
  return { ...reading, begun: new Set(attempts.keys()), lastForward: forward?.call ?? null };
}

function take(reading: Reading, entry: LedgerEntry): void {
  if (entry.is === 'begun' || entry.is === 'breach') settle(reading, entry.at);
  switch (entry.is) {
    case 'begun':
      return begin(reading, entry);
    case 'ended':
      return end(reading, entry);
    case 'undoing':
      return beginUndo(reading, entry);
    case 'undone':
      reading.undos.push({ undo: entry.undo as UndoKind, step: entry.step, done: entry.done });
      return;
    case 'forwarding':
      return beginForward(reading, entry);
    case 'forwarded':
      return endForward(reading, entry);
    case 'signed':
      return sign(reading, entry);
    case 'breach':
      return breach(reading, entry);
    case 'observed':
      reading.observed = true;
      return;
    case 'compared':
      reading.equal = entry.equal;
  }
}

/** What the plan itself has gone on past is answered: nobody's word is about it any more. */
function settle(reading: Reading, now: number): void {
  for (const [of, open] of reading.open) if (continues(reading.list, open, now)) letPass(reading, of);
}

function letPass(reading: Reading, of: number | string): void {
  reading.open.delete(of);
  if (typeof of === 'number') reading.over.add(of);
}

/** Until its end is written, a step is in trouble: its worker may have died with it. */
function begin(reading: Reading, { index, attempt, at }: LedgerEntry & { is: 'begun' }): void {
  const step = reading.list.steps[index]!;
  if (!reading.attempts.has(index) && step.undo)
    reading.stack.push({ index, step: step.name, undo: step.undo });
  reading.attempts.set(index, attempt);
  reading.over.delete(index);
  const again = reading.passed.lastIndexOf(step.kind);
  if (again >= 0 && reading.list.steps.findLastIndex(({ kind }) => kind === step.kind) === index)
    reading.passed.splice(again, 1);
  reading.equal = false;
  reading.open.set(index, { trouble: { step: step.name, index, is: 'error' }, since: at });
}

function end(reading: Reading, entry: LedgerEntry & { is: 'ended' }): void {
  const { index, attempt, verdict, receipt, at } = entry;
  // People have gone on without it, or another attempt has begun: it speaks for nothing any more.
  if (reading.attempts.get(index) !== attempt || (reading.over.has(index) && verdict !== 'pass')) return;
  const step = reading.list.steps[index]!;
  reading.open.delete(index);
  if (verdict === 'pass') {
    reading.over.add(index);
    reading.passed.push(step.kind);
    return;
  }
  const trouble = { step: step.name, index, is: verdict };
  reading.open.set(index, { trouble, ...(receipt && { receipt }), since: at });
}

function beginUndo(reading: Reading, { undo, step, at }: LedgerEntry & { is: 'undoing' }): void {
  reading.goingBack = true;
  reading.backSince ??= at;
  reading.equal = false;
  // It may shut something and never tell.
  if (SHUTS.includes(undo as UndoKind)) reading.undos.push({ undo: undo as UndoKind, step, done: false });
}

/** Each call is one fix, however often it is attempted. */
function beginForward(reading: Reading, entry: LedgerEntry & { is: 'forwarding' }): void {
  const { index, fallback, call, at } = entry;
  if (reading.forward?.call === call) return;
  reading.stack.push(forwardEntry(reading.list.steps[index]!, fallback));
  const found = [...reading.open].find(([, open]) => forwardsFor(reading.list, open, at).includes(fallback));
  if (!found) reading.unused.delete(fallback);
  reading.forward = { call, of: found?.[0] ?? null, ...(found && { open: found[1] }) };
}

/** A forward fix answers the trouble it was taken for; after one in a soak it is another schema that is observed. */
function endForward(reading: Reading, entry: LedgerEntry & { is: 'forwarded' }): void {
  const { forward } = reading;
  if (forward?.call !== entry.call) return;
  const { of, open } = forward;
  if (entry.verdict !== 'pass') {
    const breach = open?.breach;
    if (of !== null)
      reading.open.set(of, {
        trouble: { fallback: entry.fallback, is: 'fail' },
        since: entry.at,
        ...(breach && { breach }),
      });
    return;
  }
  reading.forwards += 1;
  reading.observed = false;
  if (typeof of === 'number') return letPass(reading, of);
  for (const id of reading.open.keys()) if (typeof id === 'string') reading.open.delete(id);
}

function breach(reading: Reading, entry: LedgerEntry & { is: 'breach' }): void {
  const { monitor, metric, symptom, lastedMs, text, at: since } = entry;
  const id = `${monitor}/${metric}`;
  const trouble: BreachTrouble = { monitor, metric, is: symptom, lastedMs };
  reading.observed = false;
  reading.open.delete(id);
  reading.open.set(id, { trouble, since, breach: { trouble, text, since } });
}

const leaves = ({ goingBack }: Pick<Ledger, 'goingBack'>, word: string): boolean =>
  word === 'leave-as-is' || (word === 'stop' && goingBack);

/**
 * Since when what this word could answer has been asked, where all of it is younger than the signature: whoever signed
 * it meant something else. Null where it is in time, or answers nothing of this record. In milliseconds since the epoch.
 */
export function askedLater(
  list: StepList,
  ledger: Ledger,
  word: string,
  signedAt: number,
  now: number,
): number | null {
  const asked = [...ledger.open.values()]
    .filter((one) => optionsOf(decisionsAbout(list, one, now)).includes(word))
    .map(({ since }) => since);
  const since = leaves(ledger, word) && ledger.backSince !== null ? [...asked, ledger.backSince] : asked;
  return since.length > 0 && !since.some((from) => meantFor(signedAt, from)) ? Math.max(...since) : null;
}

function sign(reading: Reading, entry: LedgerEntry & { is: 'signed' }): void {
  const { list, open, signed, nonces } = reading;
  const { message, word, nonce, signedAt, at } = entry;
  if (word === null || nonces.has(nonce)) return;
  nonces.add(nonce);
  const fallback = Object.hasOwn(list.fallbacks, word) ? list.fallbacks[word] : undefined;
  if (fallback) signed.add(word);
  if (message !== 'decide') return;
  // To stop is to undo; only where that goes on already does it mean to leave it.
  if (leaves(reading, word) && meantFor(signedAt, reading.backSince ?? 0)) reading.left = true;
  const asked = [...open].find(
    ([, one]) => meantFor(signedAt, one.since) && optionsOf(decisionsAbout(list, one, at)).includes(word),
  );
  if (!asked) {
    if (fallback && 'forward' in fallback) reading.unused.add(word);
    return;
  }
  const [of, one] = asked;
  if (fallback) open.set(of, { ...one, chosen: word });
  // Whatever else is said about a breach, it is not asked about again until it has cleared.
  else if (word === 'continue' || (typeof of === 'string' && word !== 'stop')) letPass(reading, of);
}
