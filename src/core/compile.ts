// Compiles plan + environment + pace into the step list.
import { wholeGate } from './gate.ts';
import { paceEnvironment, paceMatrix, paceMonitors, type Pace } from './pace.ts';
import type { Plan } from './plan/plan.ts';
import { implicitLines, linesOfStep, type PlanLine, undoOfLine } from './plan/steps/facts.ts';
import type { StepList } from './step-list.ts';

export interface CompileInput {
  readonly plan: Plan;
  readonly environment: string;
  readonly commit: string;
  readonly files: Readonly<Record<string, string>>;
  readonly pace: Pace | null;
}

/**
 * The list of one environment.
 * @throws RangeError when the plan has no such environment.
 */
export function compileSteps({ plan, environment, commit, files, pace }: CompileInput): StepList {
  const place = plan.environments.findIndex((candidate) => candidate.name === environment);
  const found = plan.environments[place];
  if (!found) throw new RangeError(`the plan has no environment ${environment}`);
  const paced = paceEnvironment(found, pace);
  const lines = plan.steps.filter((step) => !step.in || step.in.includes(environment)).flatMap(linesOfStep);
  return {
    soakgate: 1,
    service: plan.service,
    summary: plan.summary,
    kind: plan.kind,
    environment: paced.environment,
    commit,
    files,
    pace,
    observedMs: (found.soak ?? found.watch)?.forMs ?? 0,
    dayMs: paced.dayMs,
    release: plan.release,
    commands: plan.commands,
    migrations: plan.migrations ?? null,
    steps: withImplicit(plan, lines).map((line, index) => ({ ...line, index, ...withUndo(line) })),
    monitors: paceMonitors(plan.monitors, pace),
    gate: plan.gate[environment] ? wholeGate(plan.gate[environment], found.window) : null,
    fallbacks: plan.fallbacks,
    matrix: paceMatrix(plan.matrix, pace),
    last: place === plan.environments.length - 1,
  };
}

function withUndo(line: PlanLine): Pick<StepList['steps'][number], 'undo'> {
  const undo = undoOfLine(line);
  return undo ? { undo } : {};
}

/** The checkout and the look at the pending migrations come right after preflight, whether written or not. */
function withImplicit(plan: Plan, lines: readonly PlanLine[]): readonly PlanLine[] {
  const at = lines.findIndex((line) => line.kind === 'preflight') + 1;
  const implicit = implicitLines().filter(({ kind }) => kind !== 'pending' || plan.migrations);
  return [...lines.slice(0, at), ...implicit, ...lines.slice(at)];
}
