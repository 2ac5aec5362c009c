// Who makes and fills copies of the database: the login of the target, or the one that the backup step names.
import { backupSpecOf } from '../../src/core/backup-spec.ts';
import { fail } from '../../src/core/failures.ts';
import { databaseName, withDatabase } from '../../src/io/postgres.ts';
import { resolveSecret } from '../../src/io/settings.ts';
import type { Work } from '../frame/step-context.ts';

/** What is needed to know who restores. */
export type Restoring = Pick<Work, 'url' | 'tag' | 'list'>;

/**
 * The same work as whoever restores: the address names the target, whatever database the reference names.
 * @throws StepFailure SECRET_MISSING naming the reference, or where it holds no address; never its value.
 */
export async function asRestorer<W extends Restoring>(work: W): Promise<W> {
  const { restoreAs } = backupSpecOf(work.list);
  if (!restoreAs) return work;
  const address = await resolveSecret(restoreAs);
  if (!URL.canParse(address))
    fail(
      'SECRET_MISSING',
      'what restore-as names on this worker is no address, e.g. postgres://user@host/name',
    );
  return { ...work, url: withDatabase(address, databaseName(work.url)) };
}
