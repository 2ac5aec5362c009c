// The rollback: exactly the planned list, in its order, then the comparison. Ends `restored` or `stuck`.
import type { Comparison, RollbackVerdict } from '../src/core/activities.ts';
import type { VerifiedMessage, Signed } from '../src/core/messages.ts';
import type { UndoReceipt } from '../src/core/receipts.ts';
import { stillToUndo } from '../src/core/rollback-walk.ts';
import type { StackEntry, UndoKind } from '../src/core/step-list.ts';
import { stillShut } from '../src/core/undo.ts';
import type { Asked } from '../src/core/waiting.ts';
import { type Called, controlActivities, environmentActivities } from './activities.ts';
import { type Answered, askPerson } from './ask-person.ts';
import type { RolloutResult } from './contract.ts';
import { withLosses } from './newer.ts';
import { untilDone } from './persist.ts';
import { show } from './progress.ts';
import type { RollbackRequest } from './rollout-inbox.ts';
import { acceptedIn, type RolloutState, setWaiting } from './rollout-state.ts';

/**
 * Walks the rollback in a scope that nothing cancels; when it fails, people choose: again, another fallback
 * of the matrix, or leave it.
 */
export async function rollBack(
  state: RolloutState,
  { why, fallback, by }: RollbackRequest,
): Promise<RolloutResult> {
  state.progress.phase = 'rolling back';
  state.progress.health = 'troubled';
  state.progress.notes.push(`rolling back: ${why}`);
  await state.asker.show(null);
  const undos: UndoReceipt[] = [];
  let way = await chooseWay(state, fallback, by ? [by] : []);
  for (;;) {
    if (way === null)
      return stuck(state, why, undos, [
        'the rollback could not be planned; decided: stop',
        ...stillShut(undos, state.input.run.list),
      ]);
    const stopped = await walkBack(state, way, undos);
    const comparison = stopped ? null : await compare(state, way.entries);
    const verdict = await judge(state, { fallback: way.fallback, undos, stopped, comparison });
    if (verdict === null)
      return stuck(state, why, undos, [
        ...(stopped ?? []),
        'the rollback could not be judged; decided: stop',
        ...stillShut(undos, state.input.run.list),
      ]);
    if (verdict.differences.length === 0) return restored(state, why, undos, comparison);
    const { word, by: person } = await waitForPerson(state, verdict);
    if (word === 'leave-as-is') return stuck(state, why, undos, verdict.differences);
    if (word !== 'retry') way = await chooseWay(state, word, person ? [person] : []);
  }
}

/** A control activity that decides: called until it has worked; null when people say stop. */
function decided<T>(state: RolloutState, what: string, call: () => Promise<Called<T>>): Promise<T | null> {
  const { environment } = state.input.run.rollout;
  return untilDone({ asker: state.asker, environment, what, orElse: 'stop' }, call);
}

interface Way {
  readonly fallback: string | null;
  readonly entries: readonly StackEntry[];
  readonly approvals: readonly Signed[];
}

/**
 * The ordered list of a fallback, shown before it runs; first what people must sign for it, because it loses
 * something.
 */
async function chooseWay(
  state: RolloutState,
  wanted: string | null,
  given: readonly VerifiedMessage[],
): Promise<Way | null> {
  const { list } = state.input.run;
  const { stack, passed } = state;
  const approved = wanted === null ? given.flatMap(whole) : await approvalsFor(state, wanted, given);
  const fallback = approved ? wanted : null;
  const what = 'plan the rollback';
  const entries = await decided(state, what, () =>
    controlActivities(what, state.input.timing).planRollback({ list, stack, passed, fallback }),
  );
  if (entries === null) return null;
  state.progress.notes.push(
    entries.length > 0
      ? `the rollback: ${entries.map((entry) => `${entry.undo.undo} (${entry.step})`).join(' → ')}`
      : 'nothing to undo',
  );
  return { fallback, entries, approvals: (approved ?? []).map(({ signed }) => signed) };
}

/** Null when people would rather undo step by step. */
async function approvalsFor(
  state: RolloutState,
  fallback: string,
  given: readonly VerifiedMessage[],
): Promise<readonly VerifiedMessage[] | null> {
  const { list, rollout } = state.input.run;
  const signed = given.flatMap(whole);
  for (;;) {
    const approvals = signed.map(({ signed: { person }, roles }) => ({ person, roles }));
    const what = `who must approve ${fallback}`;
    const verdict = await decided(state, what, () =>
      controlActivities(what, state.input.timing).judgeFallback({ list, fallback, approvals }),
    );
    if (verdict === null) return null;
    if (verdict.missing.length === 0) return signed;
    const { environment } = rollout;
    const options = [fallback, 'stop'];
    const { missing } = verdict;
    const { word, by } = await ask(state, { kind: 'approval', environment, fallback, missing, options });
    if (word === 'stop') return null;
    if (by) signed.push(...whole(by));
  }
}

/** With those that had to sign the same words beside it. */
const whole = (by: VerifiedMessage): readonly VerifiedMessage[] => [
  by,
  ...(by.others ?? []).map((other) => ({ ...other, at: by.at })),
];

/** Null when all are done; else the differences that remain. An undo that was done is not run again. */
async function walkBack(
  state: RolloutState,
  { entries, approvals }: Way,
  undos: UndoReceipt[],
): Promise<readonly string[] | null> {
  for (const entry of stillToUndo(entries, undos, state.input.run.list)) {
    const differences = await undoOne(state, entry, approvals, undos);
    show(state.progress, state.lastSent);
    if (differences) return differences;
  }
  return null;
}

const SHUTS: readonly UndoKind[] = ['closeSite', 'stopServices'];

/** Null when it is done. */
async function undoOne(
  state: RolloutState,
  { index, step: name, undo: { undo, args } }: StackEntry,
  approvals: readonly Signed[],
  undos: UndoReceipt[],
): Promise<readonly string[] | null> {
  const { rollout, list } = state.input.run;
  const line = state.progress.lines[index]!;
  const step = list.steps[index]!;
  const called = await environmentActivities(rollout.environment, `undo ${name}`, state.input.timing, 'undo')[
    undo
  ]({ rollout, step, args, ...(undo === 'restore' && { approvals }) });
  if ('failed' in called) {
    const { text } = called.failed;
    Object.assign(line, { state: 'not undone', summary: text });
    // It may have shut something before it failed.
    if (SHUTS.includes(undo))
      undos.push({ undo, step: name, done: false, summary: text, differences: [text], tookMs: 0 });
    return [`${undo} of ${name} failed: ${text}`];
  }
  const receipt = called.ok;
  undos.push(receipt);
  Object.assign(line, { state: receipt.done ? 'undone' : 'not undone', summary: receipt.summary });
  return receipt.done ? null : receipt.differences;
}

async function compare(state: RolloutState, ran: readonly StackEntry[]): Promise<Comparison> {
  const { rollout } = state.input.run;
  const called = await environmentActivities(
    rollout.environment,
    'compare with what was recorded',
    state.input.timing,
    'undo',
  ).compareRollback({ rollout, ran });
  const comparison =
    'ok' in called
      ? called.ok
      : {
          equal: false,
          differences: [`the comparison failed: ${called.failed.text}`],
          writtenSince: [],
          summary: 'not compared',
        };
  state.progress.notes.push(comparison.summary, ...comparison.writtenSince.slice(0, 10));
  return comparison;
}

function judge(
  state: RolloutState,
  outcome: Omit<Parameters<ReturnType<typeof controlActivities>['judgeRollback']>[0], 'list'>,
): Promise<RollbackVerdict | null> {
  const { list } = state.input.run;
  const what = 'judge the rollback';
  return decided(state, what, () =>
    controlActivities(what, state.input.timing).judgeRollback({ list, ...outcome }),
  );
}

async function waitForPerson(
  state: RolloutState,
  { differences, fallbacks }: RollbackVerdict,
): Promise<Answered> {
  const { environment } = state.input.run.rollout;
  state.progress.phase = 'stuck';
  state.progress.health = 'stuck';
  state.progress.notes.push(...differences.map((line) => `differences remain: ${line}`));
  const options = ['retry', ...fallbacks, 'leave-as-is'];
  const answer = await ask(state, { kind: 'manual-fix', environment, differences, options });
  if (answer.word !== 'leave-as-is') {
    state.progress.phase = 'rolling back';
    state.progress.health = 'troubled';
    show(state.progress, state.lastSent);
  }
  return answer;
}

async function ask(state: RolloutState, asked: Asked): Promise<Answered> {
  const answer = await askPerson(state.asker, await withLosses(state, asked));
  state.progress.notes.push(`decided: ${answer.word}`);
  return answer;
}

function stuck(
  state: RolloutState,
  reason: string,
  undos: readonly UndoReceipt[],
  differences: readonly string[],
): RolloutResult {
  state.progress.phase = 'stuck';
  state.progress.health = 'stuck';
  return { ...resultOf(state, reason, undos), outcome: 'stuck', differences };
}

function restored(
  state: RolloutState,
  reason: string,
  undos: readonly UndoReceipt[],
  comparison: Comparison | null,
): RolloutResult {
  state.progress.phase = 'restored';
  state.progress.health = 'good';
  setWaiting(state, null);
  const outcome = state.touched || undos.length > 0 ? 'restored' : 'failed';
  return { ...resultOf(state, reason, undos), outcome, ...(comparison && { comparison }) };
}

const resultOf = (
  state: RolloutState,
  reason: string,
  undos: readonly UndoReceipt[],
): Omit<RolloutResult, 'outcome'> => ({
  environment: state.input.run.rollout.environment,
  reason,
  receipts: state.receipts,
  ...acceptedIn(state),
  undos,
  differences: [],
  soak: state.soak,
});
