// Forward fix: one prepared migration more, instead of a rollback.
import { pendingName } from '../forms.ts';
import { cannot, defineFallback } from './fallback.ts';

export const forward = defineFallback({
  key: 'forward',
  form: pendingName.describe(
    'Forward fix: applies this one migration, which is stored outside the loaded folder',
  ),
  toPlan: (migration): { readonly forward: string } => ({ forward: migration }),
  // Runs as the migrate step: its undo is that line's.
  adds: { to: 'migrate', undo: 'undoForward' },
  leaves: [],
  goesOn: ({ forward: migration }) =>
    `${migration} is added, rehearsed and applied; the deployment continues and a soak starts again`,
  remarks: ({ forward: migration }, path, { pending, declaration }) => {
    if (!pending)
      return [cannot(path, 'there is no migration tool', `declare ${declaration}, or take the fallback out`)];
    if (!pending.includes(migration)) return [];
    return [
      {
        path: [...path, 'forward'],
        message: 'is pending, so the release itself applies it',
        hint: 'a forward migration lies outside the loaded folder; take it out of pending',
      },
    ];
  },
});
