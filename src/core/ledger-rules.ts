// What a worker's own record of a rollout allows next: which step, which undo, which forward fix, which end. Whoever
// asks says nothing here that is believed.
import { aged, type BreachTrouble, continues, forwardsFor, type Ledger, type Undone } from './ledger.ts';
import { decide, type Trouble } from './matrix.ts';
import type { UndoReceipt } from './receipts.ts';
import { orderRollback } from './rollback.ts';
import { stillToUndo } from './rollback-walk.ts';
import type { StackEntry, Step, StepKind, StepList, Undo, UndoKind } from './step-list.ts';
import { stillShut } from './undo.ts';

const BACK = 'this rollout is being rolled back';

/** Why the step may not run now; null where it may. `now` in milliseconds since the epoch, here and below. */
export function stepBarred(list: StepList, ledger: Ledger, step: Step, now: number): string | null {
  if (ledger.goingBack) return BACK;
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

/** Why this forward fix may not run now; null where it may. `call` names the call, whatever its attempt. */
export function forwardBarred(
  list: StepList,
  ledger: Ledger,
  { fallback, call }: { readonly fallback: string; readonly call: string },
  now: number,
): string | null {
  if (ledger.goingBack) return BACK;
  const wanted =
    ledger.lastForward === call ||
    ledger.unused.has(fallback) ||
    [...ledger.open.values()].some((open) => forwardsFor(list, open, now).includes(fallback));
  return wanted ? null : `nothing that was found here, and nobody's signature, asks for ${fallback}`;
}

/** Why nothing may be observed now; null where it may. */
export function observationBarred(list: StepList, ledger: Ledger, now: number): string | null {
  if (ledger.goingBack) return BACK;
  const missing = list.steps.find(({ index }) => !isOver(list, ledger, index, now));
  return missing ? `${missing.name} has not passed here` : null;
}

/** Breaches that nobody has answered, each as it is now; a forward fix that failed answers none. */
export const unansweredBreaches = (
  list: StepList,
  ledger: Ledger,
  now: number,
): readonly { readonly trouble: BreachTrouble; readonly text: string }[] =>
  [...ledger.open.values()].flatMap((open) =>
    open.breach && !continues(list, open, now)
      ? [{ trouble: aged(open.breach.trouble, open.breach.since, now), text: open.breach.text }]
      : [],
  );

/** What an undo is run with, or why it may not run now. */
export type UndoAllowed = { readonly args: Undo['args'] } | { readonly barred: string };

/**
 * A rollback needs nobody's signature, because Temporal's own cancel is one; but it runs whole and in its order, by a
 * way that the plan or people have chosen.
 */
export function undoAllowed(list: StepList, ledger: Ledger, step: Step, undo: UndoKind): UndoAllowed {
  const is = (entry: StackEntry) => entry.index === step.index && entry.undo.undo === undo;
  const done = receipts(ledger.undos);
  // Its answer was lost, and it is done again.
  const last = ledger.undos.at(-1);
  const again = last?.done && last.undo === undo && last.step === step.name;
  let first: string | null = null;
  for (const planned of plans(list, ledger)) {
    const open = stillToUndo(planned, done, list);
    const [next] = open;
    if (next && is(next)) return { args: next.undo.args };
    const before = planned.find(is);
    if (before && (again || !open.some(is))) return { args: before.undo.args };
    first ??= next ? `${next.undo.undo} of ${next.step} comes first` : null;
  }
  return { barred: first ?? 'no rollback of this rollout has it' };
}

/**
 * Every rollback that may be the one: by each way back; with the step that was asked for and never came to be begun
 * here; and as if the last step had not passed, because its answer may have been lost.
 */
function plans(list: StepList, ledger: Ledger): readonly (readonly StackEntry[])[] {
  const { stack, begun, passed } = ledger;
  const lastBegun = [...begun].at(-1);
  const unbegun = list.steps.find(({ index, undo }) => undo && !begun.has(index));
  const stacks = [
    stack,
    ...(unbegun?.undo ? [[...stack, { index: unbegun.index, step: unbegun.name, undo: unbegun.undo }]] : []),
  ];
  const lost = lastBegun === undefined ? null : list.steps[lastBegun]!.kind;
  const asPassed = [passed, passed.filter((kind) => kind !== lost)];
  return waysBack(list, ledger).flatMap((way) =>
    stacks.flatMap((each) => asPassed.map((kinds) => planOf(list, each, kinds, way))),
  );
}

/** Step by step, and every fallback that the plan may choose for what was found here, or that people have signed. */
function waysBack(list: StepList, ledger: Ledger): readonly (string | null)[] {
  const names = new Set<string>(ledger.signed);
  const troubles: Trouble[] = [
    ...[...ledger.open.values()].flatMap(({ trouble, breach }) => [
      trouble,
      ...(breach ? [breach.trouble] : []),
    ]),
    // Whatever began may have failed where this worker could not write it down, and so may the monitors.
    ...list.steps
      .filter(({ index }) => ledger.begun.has(index))
      .map(({ name, index }) => ({ step: name, index, is: 'error' }) as const),
    { monitor: 'any', metric: 'any', is: 'error', lastedMs: Number.MAX_SAFE_INTEGER },
  ];
  for (const trouble of troubles) {
    addWays(list, trouble, names);
    addWays(list, aged(trouble, 0, Number.MAX_SAFE_INTEGER), names);
  }
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

const planOf = (
  list: StepList,
  stack: readonly StackEntry[],
  passed: readonly StepKind[],
  way: string | null,
): readonly StackEntry[] =>
  orderRollback({
    kind: list.kind,
    stack,
    passed,
    fallback: way === null ? null : (list.fallbacks[way] ?? null),
    backup: list.steps.find(({ kind }) => kind === 'backup') ?? null,
    shut: list.environment.rollback,
  });

const receipts = (undos: readonly Undone[]): readonly UndoReceipt[] =>
  undos.map((undone) => ({ ...undone, summary: '', differences: [], tookMs: 0 }));

/** Every step has passed or was let pass, and what was to be observed has been, without a breach since. */
export function hasPassed(list: StepList, ledger: Ledger, now: number): boolean {
  const watches = list.environment.soak ?? list.environment.watch;
  return (
    observationBarred(list, ledger, now) === null &&
    (!watches || ledger.observed) &&
    unansweredBreaches(list, ledger, now).length === 0
  );
}

/** Everything was undone, compared and found as recorded, and nothing is shut; null where it is not so. */
export function undoneAs(list: StepList, ledger: Ledger): 'restored' | 'failed' | null {
  const { undos, equal } = ledger;
  const done = receipts(undos);
  const back = plans(list, ledger).some((planned) => stillToUndo(planned, done, list).length === 0);
  if (!equal || !back || stillShut(done, list).length > 0) return null;
  const touched = list.steps.some(
    ({ index, changes }) => ledger.begun.has(index) && changes.includes('database'),
  );
  return touched || undos.length > 0 ? 'restored' : 'failed';
}
