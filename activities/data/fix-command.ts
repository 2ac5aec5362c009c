// fix by a command: the tables are copied before it runs and compared by primary key after it, so that every
// change has its before-image.
// What others write meanwhile is told apart by a trigger for as long as the command runs; where it could not
// be made, the receipt says so.
import { count } from '../../src/core/count.ts';
import { specOf } from '../../src/core/specs.ts';
import type { DataSpec } from '../../src/core/plan/steps/data.ts';
import { fenceGuard } from '../../src/io/fence.ts';
import type { TargetLock } from '../../src/io/target-lock.ts';
import { quoteTable, quoteText, type Session, withSession } from '../../src/io/postgres.ts';
import { tail } from '../../src/io/redact.ts';
import { listTables } from '../../src/io/snapshot.ts';
import { appendImages, type Image, qualified } from './before-images.ts';
import { ownRows, stopWatching, watchRows } from './own-rows.ts';
import { hasPrimaryKey, primaryKey } from './primary-key.ts';
import type { Work } from '../frame/step-context.ts';

interface Ran {
  readonly changed: number;
  /** How the command ended, when not well. */
  readonly failed: string | null;
  readonly lines: readonly string[];
}

const BATCH = 1_000;
const copyOf = (work: Work): string => `soakgate.before_${work.step.index}`;

export async function fixByCommand(
  work: Work,
  lock: TargetLock,
  fix: NonNullable<DataSpec['fix']>,
): Promise<Ran> {
  await takeCopy(work, fix.tables);
  await lock.recheck();
  await withSession(work.url, work.tag, async (session) =>
    watchRows(session, work, await copiedTables(session, work)),
  );
  const result = await work.runRelease(fix.command);
  const { changed, lines, unsaved } = await imageChanges(work);
  const ended = result.exitCode === 0 ? null : `ended with ${result.exitCode ?? result.killedBy}`;
  const failed =
    ended ?? (unsaved.length > 0 ? `changed ${unsaved.join(', ')}, which has no primary key` : null);
  const words = ended ? tail(result.stderr || result.stdout, 2_000).split('\n') : [];
  return { changed, failed, lines: [...lines, ...words.filter((line) => line !== '')] };
}

/**
 * Undo of a fix that was cut off between its copy and its images: they are made now, while nothing else has
 * followed.
 */
export async function recoverImages(work: Work): Promise<void> {
  if (specOf(work.step, 'fixData')?.fix) await imageChanges(work);
}

/**
 * All tables in one snapshot, all or none; a copy that an earlier attempt took is the true one and stays.
 * `place` is the table, '' for the list of tables (an empty one has to be looked at afterwards, too), or
 * `hash`.
 */
async function takeCopy(work: Work, tables: readonly string[]): Promise<void> {
  await withSession(work.url, work.tag, async (session) => {
    const copy = copyOf(work);
    if (await isThere(session, copy)) return;
    await session.query('begin isolation level repeatable read');
    await session.query(fenceGuard(work.rollout, work.tag));
    await session.query(`create table ${copy} (place text not null, key text not null, row jsonb not null)`);
    for (const table of tables.length > 0 ? tables.map(qualified) : await listTables(session)) {
      work.progress(`copying ${table}`);
      if (!(await hasPrimaryKey(session, table))) {
        await session.query(
          `insert into ${copy} select 'hash', ${quoteText(table)}, to_jsonb(${hashOf(table)})`,
        );
        continue;
      }
      await session.query(
        `insert into ${copy} select ${quoteText(table)}, ${await primaryKey(session, table)},
          to_jsonb(t) from ${quoteTable(table)} t`,
      );
      await session.query(`insert into ${copy} values ('', ${quoteText(table)}, 'null')`);
    }
    await session.query(`create index on ${copy} (place, key)`);
    await session.query('commit');
  });
}

/** Tables of the copy that have a primary key. */
async function copiedTables(session: Session, work: Work): Promise<readonly string[]> {
  const rows = await session.query<{ key: string }>(
    `select key from ${copyOf(work)} where place = '' order by key`,
  );
  return rows.map(({ key }) => key);
}

/** Compares each copied table with what it is now; the copy goes once the images are on disk. */
async function imageChanges(
  work: Work,
): Promise<{ changed: number; lines: readonly string[]; unsaved: readonly string[] }> {
  return withSession(work.url, work.tag, async (session) => {
    const copy = copyOf(work);
    if (!(await isThere(session, copy))) return { changed: 0, lines: [], unsaved: [] };
    const tables = await copiedTables(session, work);
    const own = await ownRows(session, work, tables);
    const lines: string[] = [];
    let changed = 0;
    for (const table of tables) {
      work.progress(`comparing ${table}`);
      const differing = await changesOf(session, copy, table);
      // The row as the command left it: what the application made of it afterwards is not ours to put back.
      const images = own
        ? differing.flatMap((image) =>
            own.has(`${table} ${image.key}`)
              ? [{ ...image, after: own.get(`${table} ${image.key}`) ?? null }]
              : [],
          )
        : differing;
      for (let at = 0; at < images.length; at += BATCH)
        await appendImages(work, images.slice(at, at + BATCH));
      changed += images.length;
      const others = differing.length - images.length;
      if (images.length > 0)
        lines.push(
          `${table}: ${count(images.length, 'row')} ` +
            `changed${own === null ? ' while the command ran, by whomever' : ''}`,
        );
      if (others > 0)
        lines.push(`${table}: ${count(others, 'row')} changed meanwhile by others; they are left alone`);
    }
    const unsaved: string[] = [];
    const hashed = await session.query<{ key: string; row: string }>(
      `select key, row #>> '{}' as row from ${copy} where place = 'hash'`,
    );
    for (const { key: table, row } of hashed) {
      const [now] = await session.query<{ hash: string }>(`select ${hashOf(table)} as hash`);
      if (now?.hash !== row) unsaved.push(table);
    }
    await stopWatching(session, work);
    await session.query(`drop table ${copy}`);
    return { changed, lines, unsaved };
  });
}

async function changesOf(session: Session, copy: string, table: string): Promise<readonly Image[]> {
  const rows = await session.query<Pick<Image, 'key' | 'before' | 'after'>>(
    `select coalesce(b.key, n.key) as key, b.row as before, n.row as after
     from (select key, row from ${copy} where place = ${quoteText(table)}) b
     full join (select ${await primaryKey(session, table)} as key, to_jsonb(t) as row
     from ${quoteTable(table)} t) n using (key)
     where b.row is distinct from n.row order by 1`,
  );
  return rows.map((row): Image => ({ table, rule: 'command', ...row }));
}

/** For tables without a primary key: whether anything is different, not what. */
const hashOf = (table: string): string =>
  `(select count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text from ` +
  `${quoteTable(table)} t)`;

async function isThere(session: Session, table: string): Promise<boolean> {
  return (
    (await session.query<{ ok: boolean }>('select to_regclass($1) is not null as ok', [table]))[0]?.ok ===
    true
  );
}
