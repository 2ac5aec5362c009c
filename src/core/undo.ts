// Entries of the undo stack that no line of the list carries, and what a rollback that stopped has left shut.
import type { UndoReceipt } from './receipts.ts';
import type { StackEntry, Step, UndoKind } from './step-list.ts';

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

/**
 * What a rollback that stopped half-way has shut and not opened again: nobody is served until a person knows.
 */
export function stillShut(undos: readonly UndoReceipt[]): readonly string[] {
  const lastDone = (...kinds: readonly UndoKind[]) =>
    undos.findLast(({ undo, done }) => done && kinds.some((kind) => kind === undo));
  const stopped = lastDone('stopServices', 'startServices', 'revertRestart');
  const closed = lastDone('closeSite', 'endMaintenance');
  return [
    ...(stopped?.undo === 'stopServices'
      ? [
          `services that the rollback stopped are still down (${stopped.summary}); the rollback ` +
            'starts them when it completes',
        ]
      : []),
    ...(closed?.undo === 'closeSite'
      ? ['the site that the rollback closed is still closed; the rollback opens it when it completes']
      : []),
  ];
}
