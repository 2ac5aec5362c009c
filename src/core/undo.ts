// The undo of each step kind, as data (rule 3): what it is called, its family, until when it holds.
// Arguments are derived names only, so that an undo finds its things after any crash.
import type { Json } from './plan/plan.ts';
import type { UndoReceipt } from './receipts.ts';
import type { Step, StepKind, StepList } from './steps.ts';
import type { StackEntry } from './rollback.ts';

/** Undos of one family roll back together; the release kind decides the order of the families. */
export type Family = 'data' | 'schema' | 'code' | 'flag' | 'maintenance';

export type UndoKind =
  | 'undoFix'
  | 'downgrade'
  | 'revertSwitch'
  | 'revertRestart'
  | 'undoRun'
  | 'endMaintenance'
  | 'restore'
  | 'undoForward'
  | 'closeSite'
  | 'stopServices'
  | 'startServices';

/** What a rollback may shut before the database, and open after it: no undo of a step, but bound to the first line that rolls back. */
const SHUTTING: readonly UndoKind[] = ['closeSite', 'stopServices', 'startServices', 'endMaintenance'];

export interface Undo {
  readonly undo: UndoKind;
  readonly family: Family;
  readonly args: Readonly<Record<string, Json>>;
  /** The undo no longer holds once a step of this kind has passed. */
  readonly until?: StepKind;
}

/** The undo of a line, or null where the step changes nothing that rolls back. */
export function undoOf(line: Omit<Step, 'index' | 'undo'>): Undo | null {
  if (line.kind === 'fixData') return { undo: 'undoFix', family: 'data', args: {}, until: 'migrate' };
  if (line.kind === 'migrate') return { undo: 'downgrade', family: 'schema', args: { to: 'recorded' } };
  if (line.kind === 'switchRelease') return { undo: 'revertSwitch', family: 'code', args: {} };
  if (line.kind === 'restart')
    return { undo: 'revertRestart', family: 'code', args: { service: line.spec['service'] ?? null } };
  if (line.kind === 'enterMaintenance') return { undo: 'endMaintenance', family: 'maintenance', args: {} };
  if (line.kind === 'run' && line.spec['undo']) return { undo: 'undoRun', family: runFamily(line), args: {} };
  return null;
}

function runFamily(line: Pick<Step, 'changes'>): Family {
  if (line.changes.includes('database')) return 'data';
  return line.changes.includes('flags') ? 'flag' : 'code';
}

/** The undos that a line may be asked for: its own, what a fallback of the plan adds to it, and what the rollback shuts meanwhile. */
export function allowedUndos(
  line: Step,
  { fallbacks, environment }: Pick<StepList, 'fallbacks' | 'environment'>,
): readonly UndoKind[] {
  const own = line.undo ? [line.undo.undo] : [];
  const has = (kind: 'restore' | 'forward') => Object.values(fallbacks).some((fallback) => kind in fallback);
  const routed: readonly UndoKind[] = [
    ...(line.kind === 'backup' && has('restore') ? (['restore'] as const) : []),
    ...(line.kind === 'migrate' && has('forward') ? (['undoForward'] as const) : []),
  ];
  const first = line.changes.includes('database') || routed.includes('restore');
  return [...own, ...routed, ...(environment.rollback && first ? SHUTTING : [])];
}

/** The entry that takes the place of all undos of data and schema when a proven backup is restored. */
export const restoreEntry = (backup: Step): StackEntry => ({
  index: backup.index,
  step: backup.name,
  undo: { undo: 'restore', family: 'schema', args: {} },
});

/** The undo of a forward fix, pushed before the fix begins. */
export const forwardEntry = (migrate: Step, fallback: string): StackEntry => ({
  index: migrate.index,
  step: migrate.name,
  undo: { undo: 'undoForward', family: 'schema', args: { fallback } },
});

/** What a rollback that stopped half-way has shut and not opened again: nobody is served until a person knows. */
export function stillShut(undos: readonly UndoReceipt[]): readonly string[] {
  const lastDone = (...kinds: readonly UndoKind[]) =>
    undos.findLast(({ undo, done }) => done && kinds.some((kind) => kind === undo));
  const stopped = lastDone('stopServices', 'startServices', 'revertRestart');
  const closed = lastDone('closeSite', 'endMaintenance');
  return [
    ...(stopped?.undo === 'stopServices'
      ? [
          `services that the rollback stopped are still down (${stopped.summary}); the rollback starts them when it completes`,
        ]
      : []),
    ...(closed?.undo === 'closeSite'
      ? ['the site that the rollback closed is still closed; the rollback opens it when it completes']
      : []),
  ];
}
