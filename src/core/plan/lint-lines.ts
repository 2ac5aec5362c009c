// The steps of one environment, and remarks that hold in several environments told once.
import { pathText, type Remark } from './complaint.ts';
import type { Plan, PlanStep } from './plan.ts';

export interface PlanLine {
  /** Place in the plan's list. */
  readonly at: number;
  readonly step: PlanStep;
}

export type Environment = Plan['environments'][number];

/** The steps that an environment walks. */
export function linesOf(plan: Plan, environment: string): readonly PlanLine[] {
  return plan.steps
    .map((step, at) => ({ at, step }))
    .filter(({ step }) => !step.in || step.in.includes(environment));
}

/** Asks for each environment; what is said in several becomes one remark that names them. */
export function perEnvironment(
  plan: Plan,
  ask: (environment: Environment, lines: readonly PlanLine[]) => readonly Remark[],
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

/** Whether a step changes the database, or tries to. */
export function touchesDatabase(step: PlanStep): boolean {
  if ('migrate' in step || 'forbidden' in step) return true;
  if ('data' in step)
    return step.data.fix !== undefined || step.data.rules.some((rule) => rule.fix !== undefined);
  if ('run' in step) return step.run.changes.includes('database');
  return 'check' in step && 'changes' in step.check && step.check.changes.includes('database');
}

/** Whether a step asks the service over HTTP. */
export function asksOverHttp(step: PlanStep): boolean {
  return (
    ('check' in step && 'http' in step.check) ||
    'flows' in step ||
    ('baseline' in step && step.baseline.http !== undefined)
  );
}
