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
import { keepLateImages } from './before-images.ts';
import { ensureImageTable, imageTable, isThere } from './image-table.ts';
import { noteOwnRows, stopWatching, watchRows } from './own-rows.ts';
import { keyText, rowImage, shapeOf } from './table-shape.ts';
import type { Work } from '../frame/step-context.ts';

interface Ran {
  readonly changed: number;
  /** How the command ended, when not well. */
  readonly failed: string | null;
  readonly lines: readonly string[];
}

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
  await keepLateImages(work);
}

/**
 * All tables in one snapshot, all or none; a copy that an earlier attempt took is the true one and stays.
 * `place` is the table, '' for the list of tables with their files (an empty one has to be looked at afterwards,
 * too), or `hash`.
 */
async function takeCopy(work: Work, tables: readonly string[]): Promise<void> {
  await withSession(work.url, work.tag, async (session) => {
    await session.query('reset search_path');
    const copy = copyOf(work);
    if (await isThere(session, copy)) return;
    await session.query('begin isolation level repeatable read');
    await session.query(fenceGuard(work.rollout, work.tag));
    await session.query(`create table ${copy} (place text not null, key text not null, row jsonb not null)`);
    for (const listed of tables.length > 0 ? tables : await listTables(session)) {
      work.progress(`copying ${listed}`);
      const shape = await shapeOf(session, listed);
      const name = quoteText(shape.name);
      if (shape.key.length === 0) {
        await session.query(`insert into ${copy} select 'hash', ${name}, to_jsonb(${hashOf(shape.name)})`);
        continue;
      }
      await session.query(
        `insert into ${copy} select ${name}, ${keyText(shape)}, ${rowImage(shape)} from ${shape.quoted} t`,
      );
      await session.query(`insert into ${copy} values ('', ${name}, ${fileOf(shape.name)})`);
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

interface Changes {
  readonly changed: number;
  readonly lines: readonly string[];
  /** Tables without a key that are different, so that nobody can tell which rows. */
  readonly unsaved: readonly string[];
}

/** Compares each copied table with what it is now; the copy goes once the images are written. */
async function imageChanges(work: Work): Promise<Changes> {
  return withSession(work.url, work.tag, async (session) => {
    await session.query('reset search_path');
    const copy = copyOf(work);
    if (!(await isThere(session, copy))) return { changed: 0, lines: [], unsaved: [] };
    await ensureImageTable(session, work);
    const tables = await copiedTables(session, work);
    const own = await noteOwnRows(session, work, tables);
    const lines: string[] = [];
    let changed = 0;
    for (const table of tables) {
      work.progress(`comparing ${table}`);
      // TRUNCATE is seen by no trigger for rows: whatever is different then is taken for the command's.
      const mine = (await sameFile(session, copy, table)) ? own : null;
      const { imaged, others } = await imageTableChanges(session, work, table, mine);
      changed += imaged;
      const whose = mine === null ? ' while the command ran, by whomever' : '';
      if (imaged > 0) lines.push(`${table}: ${count(imaged, 'row')} changed${whose}`);
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

/**
 * An image for each row of the table that the command changed, each once however often it is asked; the row as
 * the command left it, because what the application made of it afterwards is not ours to put back.
 */
async function imageTableChanges(
  session: Session,
  work: Work,
  table: string,
  own: string | null,
): Promise<{ readonly imaged: number; readonly others: number }> {
  const shape = await shapeOf(session, table);
  const name = quoteText(table);
  const left = own === null ? 'd.after' : 'o.row';
  const ours =
    own === null
      ? ''
      : `join (select distinct on (key) key, row from ${own} where place = ${name} order by key, at desc) o
          on o.key = d.key`;
  const [row] = await session.query<{ all: string; imaged: string }>(
    `with d as materialized (
       select coalesce(b.key, n.key) as key, b.row as before, n.row as after
       from (select key, row from ${copyOf(work)} where place = ${name}) b
       full join (select ${keyText(shape)} as key, ${rowImage(shape)} as row from ${shape.quoted} t) n
         using (key) where b.row is distinct from n.row),
     mine as materialized (select d.key, d.before, ${left} as after from d ${ours}),
     kept as (
       insert into ${imageTable(work)} (place, rule, key, before, after)
       select ${name}, 'command', m.key, m.before::text, m.after::text from mine m
       where not exists (select from ${imageTable(work)} i where i.place = ${name} and i.rule = 'command'
         and i.key = m.key and i.before is not distinct from m.before::text
         and i.after is not distinct from m.after::text)
       order by m.key)
     select (select count(*) from d) as all, (select count(*) from mine) as imaged`,
  );
  return { imaged: Number(row?.imaged ?? 0), others: Number(row?.all ?? 0) - Number(row?.imaged ?? 0) };
}

/** The numbers of the table's files, its parts' included: TRUNCATE and whatever rewrites a table give it others. */
function fileOf(table: string): string {
  const oid = `to_regclass(${quoteText(quoteTable(table))})`;
  return `to_jsonb(concat_ws(' ', pg_relation_filenode(${oid})::text, (select
    string_agg(pg_relation_filenode(p.relid)::text, ' ' order by p.relid) from pg_partition_tree(${oid}) p)))`;
}

async function sameFile(session: Session, copy: string, table: string): Promise<boolean> {
  const same = await session.query(
    `select from ${copy} where place = '' and key = ${quoteText(table)} and row = ${fileOf(table)}`,
  );
  return same.length > 0;
}

/** For tables without a primary key: whether anything is different, not what. */
const hashOf = (table: string): string =>
  `(select count(*) || ' ' || coalesce(sum(hashtextextended((t.*)::text, 0)::numeric), 0)::text from ` +
  `${quoteTable(table)} t)`;
