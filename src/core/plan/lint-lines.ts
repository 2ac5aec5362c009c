// The steps of one environment, and remarks that hold in several environments told once.
import { pathText, type Remark } from './complaint.ts';
import type { EnvironmentPlan } from './environment.ts';
import type { AnyStep } from './steps/step.ts';

/** A step with its place in the plan's list. */
export interface PlanLine<Step> {
  readonly at: number;
  readonly step: Step;
}

interface Walks<Step> {
  readonly environments: readonly Environment[];
  readonly steps: readonly Step[];
}

export type Environment = EnvironmentPlan & { readonly name: string };

/** The steps that an environment walks. */
export function linesOf<Step extends AnyStep>(
  plan: Pick<Walks<Step>, 'steps'>,
  environment: string,
): readonly PlanLine<Step>[] {
  return plan.steps
    .map((step, at) => ({ at, step }))
    .filter(({ step }) => !step.in || step.in.includes(environment));
}

/** Asks for each environment; what is said in several becomes one remark that names them. */
export function perEnvironment<Step extends AnyStep>(
  plan: Walks<Step>,
  ask: (environment: Environment, lines: readonly PlanLine<Step>[]) => readonly Remark[],
): readonly Remark[] {
  const said = new Map<string, { remark: Remark; names: string[] }>();
  for (const environment of plan.environments) {
    for (const remark of ask(environment, linesOf(plan, environment.name))) {
      const key = `${pathText(remark.path)} ${remark.message}`;
      const found = said.get(key) ?? { remark, names: [] };
      if (!found.names.includes(environment.name)) found.names.push(environment.name);
      said.set(key, found);
    }
  }
  return [...said.values()].map(({ remark, names }) => ({
    ...remark,
    message: `${remark.message} in ${names.join(' and ')}`,
  }));
}
