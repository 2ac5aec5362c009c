// How the copies of a database are made: the spec of the plan's backup step.
import type { BackupSpec } from './plan/steps/backup.ts';
import type { StepList } from './step-list.ts';

/** How the plan wants copies made; nothing where it has no backup step. */
export const backupSpecOf = ({ steps }: Pick<StepList, 'steps'>): Partial<BackupSpec> =>
  (steps.find(({ kind }) => kind === 'backup')?.spec ?? {}) as Partial<BackupSpec>;
