// Restore: the proven backup in place of every undo of data and schema; what was written since is lost.
import { z } from 'zod';
import { without } from '../to-plan-values.ts';
import { type Approved, defineFallback, needsStep } from './fallback.ts';

export interface Restore {
  readonly restore: { readonly loses: 'writes-since-backup' };
  readonly approved?: Approved;
}

export const restore = defineFallback({
  key: 'loses',
  form: z
    .literal('writes-since-backup')
    .describe('Restore: restores the backup; writes since the backup are lost'),
  toPlan: (loses, approved) => without<Restore>({ restore: { loses }, approved }),
  losesWrites: true,
  adds: { to: 'backup', undo: 'restore' },
  leaves: ['data', 'schema'],
  replaces: true,
  remarks: (_, path, { lacking, withoutOwners }) => [
    ...needsStep(path, lacking('backup'), 'backup', 'add a step: - { step: backup, backup: { keep: 30d } }'),
    ...(withoutOwners
      ? [
          {
            path,
            message:
              'the backup is proven without owners and privileges (owners: false), which this restore would lose',
            hint: 'instead of owners: false name a login that may restore them, restore-as: { env: RESTORE_URL }, or leave the fallback out',
          },
        ]
      : []),
  ],
});
