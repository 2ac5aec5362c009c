// The spec of a compiled line with the type that its kind gives it: the one place where it is believed.
import type { StepSpecs } from './plan/steps/index.ts';
import type { Step, StepKind, StepList } from './step-list.ts';

/** The spec of this line, if it is one of that kind. */
export const specOf = <Kind extends StepKind>(
  { kind, spec }: Pick<Step, 'kind' | 'spec'>,
  wanted: Kind,
): StepSpecs[Kind] | undefined => (kind === wanted ? (spec as unknown as StepSpecs[Kind]) : undefined);

/** The specs of all lines of that kind, in their order. */
export const specsOf = <Kind extends StepKind>(
  { steps }: Pick<StepList, 'steps'>,
  wanted: Kind,
): readonly StepSpecs[Kind][] =>
  steps.filter(({ kind }) => kind === wanted).map((step) => specOf(step, wanted)!);
