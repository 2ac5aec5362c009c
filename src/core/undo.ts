// The undo of each step kind, as data (rule 3): what it is called, its family, until when it holds.
// Arguments are derived names only, so that an undo finds its things after any crash.
import type { Json } from './plan/plan.ts';
import type { Step, StepKind } from './steps.ts';

/** Undos of one family go back together; the release kind decides the order of the families. */
export type Family = 'data' | 'schema' | 'code' | 'flag' | 'maintenance';

export type UndoKind = 'undoFix' | 'downgrade' | 'switchBack' | 'restartBack' | 'undoRun' | 'endMaintenance';

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
