// What the list of kinds says about a step of a plan, or about a line that one was compiled into.
import type { Argv, Change, Json } from '../values.ts';
import { implicitKinds } from './implicit.ts';
import { type LineUndoKind, type PlanStep, type StepKey, type StepKind, stepKinds } from './index.ts';
import type { Family, LineRule, UndoRule } from './step.ts';

/** A compiled line before it has its place. */
export interface PlanLine {
  readonly name: string;
  readonly kind: StepKind;
  readonly spec: Readonly<Record<string, Json>>;
  readonly changes: readonly Change[];
}

/** A kind as the whole sees it, whatever its own types are. */
interface Definition {
  readonly key: StepKey;
  readonly kinds: Readonly<Record<string, LineRule<never>>>;
  readonly judges?: true;
  readonly triesWrites?: true;
  readonly lines: (spec: never, name: string) => readonly { kind: string; name: string; spec: unknown }[];
  readonly asksOverHttp?: (spec: never) => boolean;
  readonly files?: (spec: never) => readonly string[];
}

const definitions: readonly Definition[] = Object.values(stepKinds);
const rules: ReadonlyMap<string, LineRule<never>> = new Map(
  [implicitKinds, ...definitions.map(({ kinds }) => kinds)].flatMap((kinds) => Object.entries(kinds)),
);

/** Every kind of line, implicit ones first. */
export const lineKinds: readonly StepKind[] = [...rules.keys()] as StepKind[];
/** Names of the lines that every rollout has; the matrix may name them. */
export const implicitNames: readonly string[] = Object.keys(implicitKinds);
/** Kinds of step whose verdict shows something about the release. */
export const judgingKeys: readonly string[] = definitions
  .filter(({ judges }) => judges)
  .map(({ key }) => key);

const plain = (spec: unknown): PlanLine['spec'] => JSON.parse(JSON.stringify(spec)) as PlanLine['spec'];

/** The definition of a step's kind and its spec, one belonging to the other. */
function kindOf(step: PlanStep): { readonly definition: Definition; readonly spec: never } {
  const definition = definitions.find(({ key }) => key in step)!;
  return { definition, spec: (step as unknown as Record<string, never>)[definition.key]! };
}

/** The key of a step's kind in the plan. */
export const keyOf = (step: PlanStep): StepKey => kindOf(step).definition.key;

/** What a step of the plan is compiled into. */
export function linesOfStep(step: PlanStep): readonly PlanLine[] {
  const { definition, spec } = kindOf(step);
  return definition.lines(spec, step.step).map((made) => lineOf(made.kind as StepKind, made.name, made.spec));
}

/** The lines that every rollout has. */
export const implicitLines = (): readonly PlanLine[] =>
  (Object.keys(implicitKinds) as (keyof typeof implicitKinds)[]).map((kind) => lineOf(kind, kind, {}));

function lineOf(kind: StepKind, name: string, spec: unknown): PlanLine {
  const { changes } = rules.get(kind)!;
  return {
    name,
    kind,
    spec: plain(spec),
    changes: typeof changes === 'function' ? changes(spec as never) : changes,
  };
}

/** The undo of a line as data; null where it changes nothing that rolls back. */
export function undoOfLine({ kind, spec, changes }: PlanLine): {
  readonly undo: LineUndoKind;
  readonly family: Family;
  readonly args: Readonly<Record<string, Json>>;
  readonly until?: StepKind;
} | null {
  const rule = rules.get(kind)?.undo;
  if (!rule || 'none' in rule) return null;
  const { undo, family, args, until, when } = rule as UndoRule<typeof spec>;
  if (when && !when(spec)) return null;
  return {
    undo: undo as LineUndoKind,
    family: typeof family === 'function' ? family(changes) : family,
    args: args?.(spec) ?? {},
    ...(until !== undefined && { until: until as StepKind }),
  };
}

/** Every undo that a kind of line has. */
export const lineUndos: readonly LineUndoKind[] = [...rules.values()].flatMap(({ undo }) =>
  undo && 'undo' in undo ? [undo.undo as LineUndoKind] : [],
);

/** The programs that a line runs. */
export function programsOfLine({ kind, spec }: Pick<PlanLine, 'kind' | 'spec'>): readonly Argv[] {
  const programs = rules.get(kind)?.programs;
  return typeof programs === 'function' ? programs(spec as never) : [];
}

/** Whether a step changes the database. */
export const changesDatabase = (step: PlanStep): boolean =>
  linesOfStep(step).some(({ changes }) => changes.includes('database'));

/** Whether a step tries writes on the database that must be refused. */
export const triesWrites = (step: PlanStep): boolean => kindOf(step).definition.triesWrites === true;

/** Whether a step asks the service over HTTP. */
export function asksOverHttp(step: PlanStep): boolean {
  const { definition, spec } = kindOf(step);
  return definition.asksOverHttp?.(spec) ?? false;
}

/** Files of the release that a step names. */
export function filesOfStep(step: PlanStep): readonly string[] {
  const { definition, spec } = kindOf(step);
  return definition.files?.(spec) ?? [];
}
