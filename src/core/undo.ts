// The undo of each step kind, as data (rule 3): what it is called, its family, until when it holds.
// Arguments are derived names only, so that an undo finds its things after any crash.
import type { Json, Route } from './plan/plan.ts';
import type { Step, StepKind } from './steps.ts';
import type { StackEntry } from './way-back.ts';

/** Undos of one family go back together; the release kind decides the order of the families. */
export type Family = 'data' | 'schema' | 'code' | 'flag' | 'maintenance';

export type UndoKind = 'undoFix' | 'downgrade' | 'switchBack' | 'restartBack' | 'undoRun' | 'endMaintenance' | 'restore' | 'undoForward';

export interface Undo {
  readonly undo: UndoKind;
  readonly family: Family;
  readonly args: Readonly<Record<string, Json>>;
  /** The undo no longer holds once a step of this kind has passed. */
  readonly until?: StepKind;
}

/** The undo of a line, or null where the step changes nothing that goes back. */
export function undoOf(line: Omit<Step, 'index' | 'undo'>): Undo | null {
  if (line.kind === 'fixData') return { undo: 'undoFix', family: 'data', args: {}, until: 'migrate' };
  if (line.kind === 'migrate') return { undo: 'downgrade', family: 'schema', args: { to: 'recorded' } };
  if (line.kind === 'switchRelease') return { undo: 'switchBack', family: 'code', args: {} };
  if (line.kind === 'restart') return { undo: 'restartBack', family: 'code', args: { service: line.spec['service'] ?? null } };
  if (line.kind === 'enterMaintenance') return { undo: 'endMaintenance', family: 'maintenance', args: {} };
  if (line.kind === 'run' && line.spec['undo']) return { undo: 'undoRun', family: runFamily(line), args: {} };
  return null;
}

function runFamily(line: Pick<Step, 'changes'>): Family {
  if (line.changes.includes('database')) return 'data';
  return line.changes.includes('flags') ? 'flag' : 'code';
}

/** The undos that a line may be asked for: its own, and what a route of the plan adds to it. */
export function allowedUndos(line: Step, routes: Readonly<Record<string, Route>>): readonly UndoKind[] {
  const own = line.undo ? [line.undo.undo] : [];
  const has = (kind: 'restore' | 'forward') => Object.values(routes).some((route) => kind in route);
  if (line.kind === 'backup' && has('restore')) return [...own, 'restore'];
  return line.kind === 'migrate' && has('forward') ? [...own, 'undoForward'] : own;
}

/** The entry that takes the place of all undos of data and schema when a proven backup is restored. */
export const restoreEntry = (backup: Step): StackEntry => ({
  index: backup.index,
  step: backup.name,
  undo: { undo: 'restore', family: 'schema', args: {} },
});

/** The undo of a forward fix, pushed before the fix begins. */
export const forwardEntry = (migrate: Step, route: string): StackEntry => ({
  index: migrate.index,
  step: migrate.name,
  undo: { undo: 'undoForward', family: 'schema', args: { route } },
});
