// How a step runs: compared with the kept list, under the lock where it writes, with a receipt at its end.
import { activityInfo } from '@temporalio/activity';
import type { ForwardInput, StepInput } from '../../src/core/activities.ts';
import { fail } from '../../src/core/failures.ts';
import type { StepSpecs } from '../../src/core/plan/steps/index.ts';
import type { Receipt } from '../../src/core/receipts.ts';
import type { StepKind } from '../../src/core/step-list.ts';
import type { TargetLock } from '../../src/io/target-lock.ts';
import { asActivity } from './as-activity.ts';
import { requireEarlier } from '../permit/believe.ts';
import { refuseOldStore } from '../permit/own-place.ts';
import { recorded } from './recorded.ts';
import { inOwnWindow } from './own-window.ts';
import { type StepResult, stepReceipt } from './receipt.ts';
import { attemptTag, listed, workOf, type Work, type WorkerContext } from './step-context.ts';
import { underLock } from './under-lock.ts';

/** A step as it runs: its spec has been compared with the kept list, so it has the type of its kind. */
export type StepRun<Spec> = (work: Work, spec: Spec) => Promise<StepResult>;
/** What a kind of step does, for every kind of line. */
export type StepRuns = { readonly [Kind in StepKind]: StepRun<StepSpecs[Kind]> };

/** A step that changes nothing in the database. */
export const plainStep = <Spec>(act: StepRun<Spec>): StepRun<Spec> => act;

/** A step that writes to the target: proof first, then the lock, then the fence. */
export const databaseStep =
  <Spec>(act: (work: Work, spec: Spec, lock: TargetLock) => Promise<StepResult>): StepRun<Spec> =>
  (work, spec) =>
    underLock(work, (lock) => act(work, spec, lock));

/** A step that writes to the target only if the plan declares it. */
export const declaredStep =
  <Spec>(act: StepRun<Spec>): StepRun<Spec> =>
  (work, spec) =>
    work.step.changes.includes('database')
      ? underLock(work, () => inOwnWindow(work, () => act(work, spec)))
      : act(work, spec);

/** The activity of a step. */
export const stepActivity =
  <Spec>(world: WorkerContext, run: StepRun<Spec>) =>
  (input: StepInput): Promise<Receipt> =>
    asActivity(async () => {
      const { rollout, step } = input;
      const kept = await listed(world, rollout, step);
      // A listed step opens its own activity only: `migrate` does not run on the permit of a check.
      const { activityType } = activityInfo();
      if (activityType !== step.kind)
        fail('NOT_PERMITTED', `step "${step.name}" is a ${step.kind}, not a ${activityType}`);
      await refuseOldStore(world);
      await requireEarlier(world, kept, step, input.earlier);
      const attempt = attemptTag(rollout, step);
      await world.record.beginStep(kept, step, attempt);
      return recorded(
        async () => {
          const work = await workOf(world, kept, step);
          // The activity's type is the step's kind, and the list was compiled here: the spec is of this kind.
          return stepReceipt(work, () => run(work, work.step.spec as Spec));
        },
        (receipt) => world.record.endStep(kept, step, attempt, receipt),
      );
    });

/** A forward fix runs under the permit of the migration that it adds to. */
export const forwardActivity =
  (world: WorkerContext, act: (work: Work, lock: TargetLock, input: ForwardInput) => Promise<StepResult>) =>
  (input: ForwardInput): Promise<Receipt> =>
    asActivity(async () => {
      const { rollout, step, fallback } = input;
      const kept = await listed(world, rollout, step);
      if (step.kind !== 'migrate')
        fail('NOT_PERMITTED', `step "${step.name}" is a ${step.kind}, which no forward fix adds to`);
      const { workflowExecution, activityId } = activityInfo();
      const fix = { fallback, call: `${workflowExecution?.runId}/${activityId}` };
      await refuseOldStore(world);
      await world.record.beginForward(kept, step, fix);
      return recorded(
        async () => {
          const work = await workOf(world, kept, step);
          return stepReceipt(work, () => underLock(work, (lock) => act(work, lock, input)), {
            step: `${step.name}: ${fallback}`,
            kind: 'forwardFix',
          });
        },
        (receipt) => world.record.endForward(kept, fix, receipt),
      );
    });
