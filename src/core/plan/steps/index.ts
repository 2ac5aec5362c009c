// The list of step kinds: one line each. The schema, the reference, the rules, the compiled lines, the
// allowed
// undos and the activities that must be there are all derived from it.
import { backup } from './backup.ts';
import { baseline } from './baseline.ts';
import { check } from './check.ts';
import { data } from './data.ts';
import { flows } from './flows.ts';
import { forbidden } from './forbidden.ts';
import { implicitKinds } from './implicit.ts';
import { maintenance } from './maintenance.ts';
import { migrate } from './migrate.ts';
import { preflight } from './preflight.ts';
import { preview } from './preview.ts';
import { restart } from './restart.ts';
import { run } from './run.ts';
import type { AnyStep, LineSpec } from './step.ts';
import { sql } from './sql.ts';
import { switchStep } from './switch.ts';

/** In the order in which people read them. */
export const stepKinds = {
  preflight,
  baseline,
  maintenance,
  backup,
  data,
  preview,
  migrate,
  check,
  forbidden,
  run,
  sql,
  switch: switchStep,
  restart,
  flows,
} as const;

type Definitions = typeof stepKinds;
/** The keys of the kinds in a plan. */
export type StepKey = keyof Definitions;

/** One step of the trusted plan. */
export type PlanStep = {
  readonly [Key in StepKey]: AnyStep & { readonly [K in Key]: ReturnType<Definitions[Key]['toSpec']> };
}[StepKey];

type Union<T> = (T extends unknown ? (value: T) => void : never) extends (value: infer All) => void
  ? All
  : never;
type LineKinds = Union<Definitions[StepKey]['kinds']> & typeof implicitKinds;

/** The kinds of compiled lines: one activity each. */
export type StepKind = keyof LineKinds;
/** Kind of line → what its activity is handed. */
export type StepSpecs = { readonly [Kind in StepKind]: LineSpec<LineKinds[Kind]> };
/** The undos of lines. */
export type LineUndoKind = {
  [Kind in StepKind]: LineKinds[Kind] extends { readonly undo: { readonly undo: infer Name } } ? Name : never;
}[StepKind];
