// Which undos there are, and which a line may be asked for: an environment's worker does no other (rule 3).
import { addedUndos, undosAddedTo } from './plan/fallbacks/facts.ts';
import { lineUndos } from './plan/steps/facts.ts';
import type { Step, StepList, UndoKind } from './step-list.ts';

/**
 * What a rollback may shut before the database, and open after it: no undo of a step, but bound to the first
 * line that rolls back.
 */
const SHUTTING: readonly UndoKind[] = ['closeSite', 'stopServices', 'startServices', 'endMaintenance'];

/** Every undo: one activity each. */
export const undoKinds: readonly UndoKind[] = [
  ...new Set<UndoKind>([...lineUndos, ...addedUndos, ...SHUTTING]),
];

/**
 * The undos that a line may be asked for: its own, what a fallback of the plan adds to it, and what the
 * rollback shuts meanwhile.
 */
export function allowedUndos(
  line: Step,
  { fallbacks, environment }: Pick<StepList, 'fallbacks' | 'environment'>,
): readonly UndoKind[] {
  const own = line.undo ? [line.undo.undo] : [];
  const routed = undosAddedTo(line.kind, fallbacks);
  const first = line.changes.includes('database') || routed.length > 0;
  return [...own, ...routed, ...(environment.rollback && first ? SHUTTING : [])];
}
