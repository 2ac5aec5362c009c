// Compiles plan + environment + pace into the step list: the one thing that a rollout walks down.
// The list is workflow input, is hashed, signed, and compared by the environment's worker (rule 8).
import { wholeGate } from './gate.ts';
import { paceEnvironment, paceMatrix, paceMonitors, type Pace } from './pace.ts';
import type {
  Change,
  EnvironmentPlan,
  Json,
  MatrixRow,
  Monitor,
  Plan,
  PlanStep,
  Fallback,
  Gate,
} from './plan/plan.ts';
import { type Undo, undoOf } from './undo.ts';

export type StepKind =
  | 'preflight'
  | 'release'
  | 'pending'
  | 'baseline'
  | 'enterMaintenance'
  | 'leaveMaintenance'
  | 'backup'
  | 'checkData'
  | 'fixData'
  | 'preview'
  | 'migrate'
  | 'check'
  | 'forbiddenWrites'
  | 'run'
  | 'switchRelease'
  | 'restart'
  | 'flows';

/** One line of the compiled list: one activity. */
export interface Step {
  readonly index: number;
  readonly name: string;
  readonly kind: StepKind;
  readonly spec: Readonly<Record<string, Json>>;
  readonly changes: readonly Change[];
  readonly undo?: Undo;
}

export interface StepList {
  readonly soakgate: 1;
  readonly service: string;
  readonly summary: string;
  readonly kind: Plan['kind'];
  readonly environment: EnvironmentPlan & { readonly name: string };
  readonly commit: string;
  /** Path → sha256 at the pinned commit, of every file the plan names. */
  readonly files: Readonly<Record<string, string>>;
  readonly pace: Pace | null;
  /** Length of soak or watch as the plan says it, before any pace; 0 when nothing is observed. */
  readonly observedMs: number;
  /** A day as this run counts it, in milliseconds. */
  readonly dayMs: number;
  readonly release: Plan['release'];
  readonly commands: Plan['commands'];
  readonly migrations: Plan['migrations'] | null;
  readonly steps: readonly Step[];
  readonly monitors: Readonly<Record<string, Monitor>>;
  readonly gate: Gate | null;
  readonly fallbacks: Readonly<Record<string, Fallback>>;
  readonly matrix: readonly MatrixRow[];
  /** Whether a later environment waits behind this one's soak. */
  readonly last: boolean;
}

export interface CompileInput {
  readonly plan: Plan;
  readonly environment: string;
  readonly commit: string;
  readonly files: Readonly<Record<string, string>>;
  readonly pace: Pace | null;
}

type Line = Omit<Step, 'index' | 'undo'>;

const json = (value: unknown): Readonly<Record<string, Json>> =>
  JSON.parse(JSON.stringify(value)) as Record<string, Json>;

/**
 * The list of one environment.
 * @throws RangeError when the plan has no such environment.
 */
export function compileSteps({ plan, environment, commit, files, pace }: CompileInput): StepList {
  const place = plan.environments.findIndex((candidate) => candidate.name === environment);
  const found = plan.environments[place];
  if (!found) throw new RangeError(`the plan has no environment ${environment}`);
  const paced = paceEnvironment(found, pace);
  const lines = plan.steps
    .filter((step) => !step.in || step.in.includes(environment))
    .flatMap((step) => linesOf(plan, step));
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

function withUndo(line: Line): { undo?: Undo } {
  const undo = undoOf(line);
  return undo ? { undo } : {};
}

/** The checkout and the look at the pending migrations come right after preflight, whether written or not. */
function withImplicit(plan: Plan, lines: readonly Line[]): readonly Line[] {
  const at = lines.findIndex((line) => line.kind === 'preflight') + 1;
  const implicit: Line[] = [{ name: 'release', kind: 'release', spec: {}, changes: ['files'] }];
  if (plan.migrations) implicit.push({ name: 'pending', kind: 'pending', spec: {}, changes: [] });
  return [...lines.slice(0, at), ...implicit, ...lines.slice(at)];
}

function linesOf(plan: Plan, step: PlanStep): readonly Line[] {
  const line = (kind: StepKind, spec: unknown, changes: readonly Change[] = [], name = step.step): Line => ({
    name,
    kind,
    spec: json(spec),
    changes,
  });
  if ('preflight' in step) return [line('preflight', step.preflight)];
  if ('baseline' in step) return [line('baseline', step.baseline)];
  if ('maintenance' in step)
    return [line(step.maintenance === 'enter' ? 'enterMaintenance' : 'leaveMaintenance', {}, ['flags'])];
  if ('backup' in step) return [line('backup', step.backup)];
  if ('data' in step) return dataLines(step, line);
  if ('preview' in step) return [line('preview', step.preview)];
  if ('migrate' in step) return [line('migrate', step.migrate, ['database'])];
  if ('check' in step) return [line('check', step.check, 'changes' in step.check ? step.check.changes : [])];
  if ('forbidden' in step) return [line('forbiddenWrites', { writes: step.forbidden })];
  if ('run' in step) return [line('run', step.run, step.run.changes)];
  if ('switch' in step) return [line('switchRelease', {}, ['files'])];
  if ('restart' in step)
    return step.restart.map((service) =>
      line(
        'restart',
        { service },
        ['processes'],
        step.restart.length > 1 ? `${step.step} ${service}` : step.step,
      ),
    );
  return [line('flows', { file: step.flows })];
}

function dataLines(
  step: Extract<PlanStep, { data: unknown }>,
  line: (kind: StepKind, spec: unknown, changes?: readonly Change[], name?: string) => Line,
) {
  const look = line('checkData', { ...step.data, pass: 'first' });
  const fixable = step.data.fix || step.data.rules.some((rule) => rule.fix);
  if (!fixable) return [line('checkData', { ...step.data, pass: 'last' })];
  return [
    look,
    line('fixData', step.data, ['database'], `${step.step}: fix`),
    line('checkData', { ...step.data, pass: 'last' }, [], `${step.step}: again`),
  ];
}
