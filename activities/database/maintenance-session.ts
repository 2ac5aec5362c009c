// A session beside the target: databases are made, renamed and dropped from another one.
import { type Session, withDatabase, withSession } from '../../src/io/postgres.ts';
import type { Work } from '../frame/step-context.ts';

/** Every server has it; preflight asks whether the role may connect. */
const MAINTENANCE_DATABASE = 'postgres';

/** Opens it for as long as it is used. */
export const inMaintenance = <T>(
  work: Pick<Work, 'url' | 'tag'>,
  use: (session: Session) => Promise<T>,
): Promise<T> => withSession(withDatabase(work.url, MAINTENANCE_DATABASE), work.tag, use);
