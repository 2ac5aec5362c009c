// What a worker's own record of a rollout allows next: which step, which undo, which forward fix, which end. Whoever
// asks says nothing here that is believed.
import { decide } from './matrix.ts';
import { aged, continues, forwardFor, type Ledger, type OpenTrouble, type Undone } from './ledger.ts';
import { orderRollback } from './rollback.ts';
import { stillToUndo } from './rollback-walk.ts';
import type { Trouble } from './matrix.ts';
import type { UndoReceipt } from './receipts.ts';
import type { StackEntry, Step, StepList, UndoKind } from './step-list.ts';
import { stillShut } from './undo.ts';

/** Why the step may not run now; null where it may. `now` in milliseconds since the epoch. */
export function stepBarred(list: StepList, ledger: Ledger, step: Step, now: number): string | null {
  if (ledger.goingBack) return 'this rollout is being rolled back';
  const later = list.steps.find(({ index }) => index > step.index && ledger.begun.has(index));
  if (later) return `${later.name} has begun since`;
  const missing = list.steps.find(({ index }) => index < step.index && !isOver(list, ledger, index, now));
  return missing
    ? `${missing.name} comes before it, and has not passed here${
        ledger.begun.has(missing.index) ? ', nor has anybody decided to continue without it' : ''
      }`
    : null;
}

/** A step has passed, people let it pass, or the plan does. */
function isOver(list: StepList, ledger: Ledger, index: number, now: number): boolean {
  const open = ledger.open.get(index);
  return ledger.over.has(index) || (open !== undefined && continues(list, open, now));
}

/** Why this forward fix may not run now; null where it may. */
export function forwardBarred(list: StepList, ledger: Ledger, fallback: string, now: number): string | null {
  if (ledger.goingBack) return 'this rollout is being rolled back';
  const wanted = [...ledger.open.values()].some((open) => forwardFor(list, open, now) === fallback);
  return wanted ? null : `nothing that was found here, and nobody's signature, asks for ${fallback}`;
}

/** Why nothing may be observed now; null where it may. */
export function observationBarred(list: StepList, ledger: Ledger, now: number): string | null {
  if (ledger.goingBack) return 'this rollout is being rolled back';
  const missing = list.steps.find(({ index }) => !isOver(list, ledger, index, now));
  return missing ? `${missing.name} has not passed here` : null;
}

/** Breaches that nobody has answered. */
export const unansweredBreaches = (
  list: StepList,
  ledger: Ledger,
  now: number,
): readonly (OpenTrouble & { readonly trouble: Extract<Trouble, { monitor: string }> })[] =>
  [...ledger.open.values()].flatMap((open) =>
    'monitor' in open.trouble && !continues(list, open, now)
      ? [{ ...open, trouble: aged(open.trouble, open.since, now) }]
      : [],
  );

/**
 * Why this undo may not run now; null where it may. A rollback needs nobody's signature, because Temporal's own cancel
 * is one; but it runs whole and in its order, by a way that the plan or people have chosen.
 */
export function undoBarred(list: StepList, ledger: Ledger, step: Step, undo: UndoKind): string | null {
  // Its answer was lost, and it is done again.
  const last = ledger.undos.at(-1);
  if (last?.done && last.undo === undo && last.step === step.name) return null;
  let first: string | null = null;
  for (const way of waysBack(list, ledger)) {
    const planned = planOf(list, ledger, way);
    const open = stillToUndo(planned, receipts(ledger.undos), list);
    const [next] = open;
    const is = (entry: StackEntry) => entry.index === step.index && entry.undo.undo === undo;
    if (next && is(next)) return null;
    if (planned.some(is) && !open.some(is)) return null;
    first ??= next ? `${next.undo.undo} of ${next.step} comes first` : null;
  }
  return first ?? 'no rollback of this rollout has it';
}

/** Step by step, and every fallback that the plan may choose for what was found here, or that people have signed. */
function waysBack(list: StepList, ledger: Ledger): readonly (string | null)[] {
  const names = new Set<string>(ledger.signed);
  const troubles: Trouble[] = [
    ...[...ledger.open.values()].map(({ trouble }) => trouble),
    // Whatever began may have failed where this worker could not write it down, and so may the monitors.
    ...list.steps
      .filter(({ index }) => ledger.begun.has(index))
      .map(({ name, index }) => ({ step: name, index, is: 'error' }) as const),
    { monitor: 'any', metric: 'any', is: 'error', lastedMs: Number.MAX_SAFE_INTEGER },
  ];
  for (const trouble of troubles) addWays(list, trouble, names);
  return [null, ...[...names].filter((name) => !('forward' in (list.fallbacks[name] ?? {})))];
}

function addWays(list: StepList, trouble: Trouble, names: Set<string>): void {
  const decision = decide(list, trouble);
  const chosen =
    decision.do === 'fallback' ? decision.name : decision.do === 'ask' ? decision.unanswered?.do : undefined;
  if (chosen === undefined || names.has(chosen) || !Object.hasOwn(list.fallbacks, chosen)) return;
  names.add(chosen);
  addWays(list, { fallback: chosen, is: 'fail' }, names);
}

function planOf(list: StepList, ledger: Ledger, way: string | null): readonly StackEntry[] {
  return orderRollback({
    kind: list.kind,
    stack: ledger.stack,
    passed: ledger.passed,
    fallback: way === null ? null : (list.fallbacks[way] ?? null),
    backup: list.steps.find(({ kind }) => kind === 'backup') ?? null,
    shut: list.environment.rollback,
  });
}

const receipts = (undos: readonly Undone[]): readonly UndoReceipt[] =>
  undos.map((undone) => ({ ...undone, summary: '', differences: [], tookMs: 0 }));

/** How this rollout has ended, by this record; null where it has not. */
export function endOf(
  list: StepList,
  ledger: Ledger,
  now: number,
): 'passed' | 'restored' | 'failed' | 'stuck' | null {
  const { observed, undos, equal, left } = ledger;
  const watches = list.environment.soak ?? list.environment.watch;
  if (
    observationBarred(list, ledger, now) === null &&
    (!watches || observed) &&
    unansweredBreaches(list, ledger, now).length === 0
  )
    return 'passed';
  const back = waysBack(list, ledger).some(
    (way) => stillToUndo(planOf(list, ledger, way), receipts(undos), list).length === 0,
  );
  if (equal && back && stillShut(receipts(undos), list).length === 0) {
    const touched = list.steps.some(
      ({ index, changes }) => ledger.begun.has(index) && changes.includes('database'),
    );
    return touched || undos.length > 0 ? 'restored' : 'failed';
  }
  return left ? 'stuck' : null;
}
