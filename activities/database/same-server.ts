// Whether two addresses are of one server: a copy made elsewhere would prove another database, and carry rows away.
import { fail } from '../../src/core/failures.ts';
import { type Session, withSession } from '../../src/io/postgres.ts';
import type { Work } from '../frame/step-context.ts';

/** Both sessions are in the database of one name; its number and the server's start tell it from any other. */
export async function areOneServer(one: Session, other: Session): Promise<boolean> {
  const idOf = async (session: Session) => {
    const [row] = await session.query<{ id: string }>(
      `select concat_ws(' ', pg_postmaster_start_time()::text, d.oid, current_setting('port')) as id
        from pg_database d where datname = current_database()`,
    );
    return row?.id;
  };
  return (await idOf(one)) === (await idOf(other));
}

type Addressed = Pick<Work, 'url' | 'tag'>;

/** @throws StepFailure RESTORE_FAILED when they are not; nothing was sent there. */
export async function onSameServer(work: Addressed, restorer: Addressed): Promise<void> {
  const same = await withSession(work.url, work.tag, (session) =>
    withSession(restorer.url, work.tag, (other) => areOneServer(session, other)),
  );
  if (!same)
    fail('RESTORE_FAILED', 'the address in restore-as is of another server; nothing was restored there');
}
