// The steps of `toPlan`: each kind as the file writes it → as the plan keeps it.
import type { PlanFile } from './schema.ts';
import { type PlanStep, stepKinds } from './steps/index.ts';
import { without } from './to-plan-values.ts';

/** One step of the trusted plan. */
export function toStep(file: PlanFile['steps'][number]): PlanStep {
  const written: Readonly<Record<string, unknown>> = file;
  const kind = Object.values(stepKinds).find(({ key }) => written[key] !== undefined);
  if (!kind) throw new RangeError(`the step ${file.step} has no kind, though its form was accepted`);
  const toSpec = kind.toSpec as (form: unknown) => unknown;
  const step = { step: file.step, in: file.in, [kind.key]: toSpec(written[kind.key]) };
  return without<PlanStep>(step as unknown as PlanStep);
}
