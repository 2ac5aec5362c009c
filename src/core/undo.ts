// Entries of the undo stack that no line of the list carries, and what a rollback that stopped has left shut.
import type { UndoReceipt } from './receipts.ts';
import { shutNow, type WalkedList } from './rollback-walk.ts';
import type { StackEntry, Step } from './step-list.ts';

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
export function stillShut(undos: readonly UndoReceipt[], list: WalkedList): readonly string[] {
  const { closed, down } = shutNow(undos, list);
  return [
    ...(down.length > 0
      ? [
          `services that the rollback stopped are still down (${down.join(', ')}); the rollback ` +
            'starts them when it completes',
        ]
      : []),
    ...(closed !== null
      ? ['the site that the rollback closed is still closed; the rollback opens it when it completes']
      : []),
  ];
}
