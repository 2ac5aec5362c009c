// How an undo runs: one that the list allows for its step, under the lock where the step writes (rule 3).
import { activityInfo } from '@temporalio/activity';
import type { UndoInput } from '../../src/core/activities.ts';
import { allowedUndos } from '../../src/core/allowed-undos.ts';
import { fail } from '../../src/core/failures.ts';
import type { UndoReceipt } from '../../src/core/receipts.ts';
import type { Step, StepList, UndoKind } from '../../src/core/step-list.ts';
import { asActivity } from './as-activity.ts';
import { recorded } from './recorded.ts';
import { inOwnWindow } from './own-window.ts';
import { type UndoResult, undoReceipt } from './receipt.ts';
import { listed, type Work, type WorkerContext, workOf } from './step-context.ts';
import { isProven, underLock } from './under-lock.ts';

/** An undo as it runs. */
export type UndoRun = (work: Work, input: UndoInput) => Promise<UndoResult>;
/** What each undo does. */
export type UndoRuns = { readonly [Kind in UndoKind]: UndoRun };

/** What is shut or opened beside the database: nothing of the database is locked for it. */
export const plainUndo = (act: UndoRun): UndoRun => act;

/** An undo under the lock if its step writes; idempotent, because its step may have half-run. */
export const stepUndo =
  (act: UndoRun): UndoRun =>
  async (work, input) => {
    if (!work.step.changes.includes('database')) return act(work, input);
    // Without a proof its step cannot have written, so there is nothing to put back.
    if (!(await isProven(work)))
      return { done: true, summary: 'the database was never changed', differences: [] };
    return underLock(work, () => act(work, input));
  };

/** The same for an undo that is a command of the release. */
export const commandUndo = (act: UndoRun): UndoRun =>
  stepUndo((work, input) =>
    work.step.changes.includes('database') ? inOwnWindow(work, () => act(work, input)) : act(work, input),
  );

/** What replaces the database; `before` runs ahead of the lock. */
export const replacingUndo =
  (before: (work: Work) => Promise<unknown>, act: UndoRun): UndoRun =>
  async (work, input) => {
    await before(work);
    return underLock(work, () => act(work, input));
  };

/** The activity of an undo. */
export const undoActivity =
  (world: WorkerContext, run: UndoRun) =>
  (input: UndoInput): Promise<UndoReceipt> =>
    asActivity(async () => {
      const { rollout, step } = input;
      const kept = await listed(world, rollout, step);
      const undo = allowedHere(step, kept.list);
      const args = await world.record.beginUndo(kept, step, undo, input.args);
      if (args === null) return neverBegun(step, undo);
      return recorded(
        async () => {
          const work = await workOf(world, kept, step);
          return undoReceipt(work, undo, () => run(work, { ...input, args }));
        },
        (receipt) => world.record.endUndo(kept, step, undo, receipt),
      );
    });

const neverBegun = ({ name }: Step, undo: UndoKind): UndoReceipt => ({
  undo,
  step: name,
  done: true,
  summary: 'its step was never begun here; there is nothing to undo',
  differences: [],
  tookMs: 0,
});

/** The undo that this activity is. @throws StepFailure NOT_PERMITTED where the step has no such undo. */
function allowedHere(step: Step, list: StepList): UndoKind {
  const { activityType } = activityInfo();
  const allowed = allowedUndos(step, list);
  return (
    allowed.find((undo) => undo === activityType) ??
    fail(
      'NOT_PERMITTED',
      `the undo of step "${step.name}" is ${allowed.join(' or ') || 'none'}, not ${activityType}`,
    )
  );
}
