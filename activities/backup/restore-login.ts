// Who makes and fills copies of the database: the login of the target, or the one that the backup step names.
import { backupSpecOf } from '../../src/core/backup-spec.ts';
import { databaseName, withDatabase } from '../../src/io/postgres.ts';
import { resolveSecret } from '../../src/io/settings.ts';
import type { Work } from '../frame/step-context.ts';

/** What is needed to know who restores. */
export type Restoring = Pick<Work, 'url' | 'tag' | 'list'>;

/**
 * The same work as whoever restores: the address names the target, whatever database the reference names.
 * @throws StepFailure SECRET_MISSING naming the reference.
 */
export async function asRestorer<W extends Restoring>(work: W): Promise<W> {
  const { restoreAs } = backupSpecOf(work.list);
  if (!restoreAs) return work;
  return { ...work, url: withDatabase(await resolveSecret(restoreAs), databaseName(work.url)) };
}
