// How a step runs: compared with the kept list, under the lock where it writes, with a receipt at its end.
import { activityInfo } from '@temporalio/activity';
import type { ForwardInput, StepInput } from '../../src/core/activities.ts';
import { fail } from '../../src/core/failures.ts';
import type { StepSpecs } from '../../src/core/plan/steps/index.ts';
import type { Receipt } from '../../src/core/receipts.ts';
import type { StepKind } from '../../src/core/step-list.ts';
import type { TargetLock } from '../../src/io/target-lock.ts';
import { asActivity } from './as-activity.ts';
import { inOwnWindow } from './own-window.ts';
import { type StepResult, stepReceipt } from './receipt.ts';
import { openWork, type Work, type WorkerContext } from './step-context.ts';
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
      const work = await openStep(world, input);
      // The activity's type is the step's kind, and the list was compiled here: the spec is of this kind.
      return stepReceipt(work, () => run(work, work.step.spec as Spec));
    });

/** A listed step opens its own activity only: `migrate` does not run on the permit of a check. */
async function openStep(world: WorkerContext, { rollout, step }: StepInput): Promise<Work> {
  const work = await openWork(world, rollout, step);
  const { activityType } = activityInfo();
  if (activityType !== step.kind)
    fail('NOT_PERMITTED', `step "${step.name}" is a ${step.kind}, not a ${activityType}`);
  return work;
}

/** A forward fix runs under the permit of the migration that it adds to. */
export const forwardActivity =
  (world: WorkerContext, act: (work: Work, lock: TargetLock, input: ForwardInput) => Promise<StepResult>) =>
  (input: ForwardInput): Promise<Receipt> =>
    asActivity(async () => {
      const work = await openWork(world, input.rollout, input.step);
      if (work.step.kind !== 'migrate')
        fail(
          'NOT_PERMITTED',
          `step "${work.step.name}" is a ${work.step.kind}, which no forward fix adds to`,
        );
      return stepReceipt(work, () => underLock(work, (lock) => act(work, lock, input)), {
        step: `${work.step.name}: ${input.fallback}`,
        kind: 'forwardFix',
      });
    });
