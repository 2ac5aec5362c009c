// A database as it can be compared: pg_dump's text of its schema, what pg_dump leaves out, and its content, all of
// one moment.
import { readFile, rm } from 'node:fs/promises';
import { fail } from '../../src/core/failures.ts';
import { readSchemaDump, type Schema } from '../../src/core/schema-dump.ts';
import type { Snapshot } from '../../src/core/snapshot.ts';
import { type Session, withSession } from '../../src/io/postgres.ts';
import { tail } from '../../src/io/redact.ts';
import { readContent, readSequences, readSurroundings } from '../../src/io/snapshot.ts';
import type { Work } from '../frame/step-context.ts';

export interface ReadOptions {
  /** Another database than the target. */
  readonly url?: string;
  /** Said before each table, e.g. `counting`. */
  readonly saying?: string;
}

/** All of it; sequences lie outside every snapshot and are read at its end. */
export async function readDatabase(work: Work, options: ReadOptions = {}): Promise<Snapshot> {
  return inSnapshot(work, options, async (session, id) => ({
    ...(await readSession(work, session, id, options)),
    sequences: await readSequences(session),
  }));
}

/** Only its objects; content and sequences stay empty. */
export async function readCatalog(work: Work, options: ReadOptions = {}): Promise<Snapshot> {
  const catalog = await inSnapshot(work, options, (session, id) => catalogOf(work, session, id, options));
  return { catalog, content: {}, sequences: {} };
}

/** The same in a transaction that is open, whose snapshot is exported as `id`. */
export async function readSession(
  work: Work,
  session: Session,
  id: string,
  options: ReadOptions = {},
): Promise<Omit<Snapshot, 'sequences'>> {
  const { saying = 'counting' } = options;
  return {
    catalog: await catalogOf(work, session, id, options),
    content: await readContent(session, (table) => work.progress(`${saying} ${table}`)),
  };
}

async function catalogOf(work: Work, session: Session, id: string, options: ReadOptions): Promise<Schema> {
  return { ...(await dumpSchema(work, id, options)), ...(await readSurroundings(session)) };
}

const COMPLETE = '\n-- PostgreSQL database dump complete\n';

/** @throws StepFailure SCHEMA_UNREADABLE with what pg_dump says. */
async function dumpSchema(work: Work, id: string, { url = work.url }: ReadOptions): Promise<Schema> {
  const file = await work.world.permitStore.working(work.rollout, `schema-${work.tag.split(':').at(-1)}.sql`);
  try {
    const argv = ['pg_dump', '--schema-only', '--no-password', '--no-subscriptions', `--snapshot=${id}`];
    const result = await work.runTool([...argv, '--exclude-schema=soakgate', '--file', file], {
      url,
      quiet: true,
    });
    if (result.exitCode !== 0)
      fail(
        'SCHEMA_UNREADABLE',
        `pg_dump --schema-only ended with ${result.exitCode ?? result.killedBy}`,
        tail(result.stderr, 4_000).split('\n'),
      );
    const dump = await readFile(file, 'utf8');
    if (!dump.includes(COMPLETE)) fail('SCHEMA_UNREADABLE', 'the text of pg_dump --schema-only is cut off');
    return readSchemaDump(dump);
  } finally {
    await rm(file, { force: true });
  }
}

async function inSnapshot<T>(
  work: Work,
  { url = work.url }: ReadOptions,
  read: (session: Session, id: string) => Promise<T>,
): Promise<T> {
  return withSession(url, work.tag, async (session) => {
    await session.query('begin isolation level repeatable read read only');
    const [exported] = await session.query<{ id: string }>('select pg_export_snapshot() as id');
    try {
      return await read(session, exported!.id);
    } finally {
      await session.query('rollback').catch(() => undefined);
    }
  });
}
