// The rows of tables that are not as recorded, each judged by itself: against the proven dump, by who wrote it, and by
// what a fix of this rollout made of it.
import { compareDatabase } from '../../src/core/ids.ts';
import type { Difference, Snapshot } from '../../src/core/snapshot.ts';
import { type Session, withDatabase, withSession } from '../../src/io/postgres.ts';
import { withProvenDump, provenBackup } from '../backup/backup.ts';
import { dropScratch, recreateFrom } from '../backup/scratch.ts';
import { fixedRows } from '../data/before-images.ts';
import { type NotBackLine, undoneRows } from '../data/not-back.ts';
import type { Work } from '../frame/step-context.ts';
import { type Assigns, assignsOf, columnsOfOurs } from './columns-of-ours.ts';
import { differingRows } from './compare-rows.ts';
import { keptName, openKept } from './kept-rows.ts';
import { adderOf, removerOf, told, writerOf } from './row-writers.ts';
import { Tally } from './tally.ts';

export interface Judged {
  readonly left: Tally;
  readonly written: Tally;
  /** Rows that a fix has changed and that stay changed; all of them stand in the file. */
  readonly fixed: Tally;
  readonly file: string;
}

/** What every table is judged by. */
interface Grounds {
  readonly was: Session;
  readonly is: Session;
  /** The transactions that the backup has seen. */
  readonly seen: string;
  readonly content: readonly [was: Snapshot['content'], is: Snapshot['content']];
  readonly marks: NonNullable<Snapshot['tables']>;
  /** Relations that others have made since the backup. */
  readonly others: ReadonlySet<string>;
  /** Tables whose columns are others now, as the catalog has said already. */
  readonly reshaped: ReadonlySet<string>;
  readonly assigns: Assigns;
  readonly fixed: ReadonlyMap<string, string | null>;
  readonly undone: ReadonlyMap<string, NotBackLine>;
  readonly kept: Awaited<ReturnType<typeof openKept>>;
}

/** Restores the proven dump once more and compares the differing tables row by row. */
export async function judgeRows(
  work: Work,
  tables: readonly Difference[],
  known: Pick<Grounds, 'content' | 'marks' | 'others' | 'reshaped'>,
): Promise<Judged> {
  const judged = { left: new Tally(), written: new Tally(), fixed: new Tally(), file: keptName(work) };
  const kept = await openKept(work);
  if (tables.length === 0) return judged;
  const database = compareDatabase(work.rollout);
  const [fixed, undone] = [await fixedRows(work), await undoneRows(work)];
  const { seen } = (await provenBackup(work))!;
  const assigns = await assignsOf(work);
  await withProvenDump(work, (dump) => recreateFrom(work, database, dump));
  try {
    await withSession(withDatabase(work.url, database), work.tag, async (was) =>
      withSession(work.url, work.tag, async (is) => {
        for (const table of tables)
          await judgeTable(work, table, { ...known, was, is, seen, assigns, fixed, undone, kept }, judged);
      }),
    );
    await kept.end();
  } finally {
    await dropScratch(work, database);
  }
  return judged;
}

async function judgeTable(work: Work, table: Difference, grounds: Grounds, judged: Judged): Promise<void> {
  const { object, was: before, is: after } = table;
  const { was, is, seen, content, fixed, undone, kept } = grounds;
  work.progress(`comparing rows of ${object}`);
  if (before === null && grounds.others.has(object))
    return judged.written.add(object, `${object}: a table that others have made since the backup`);
  if (before === null) return judged.left.add(object, `${object}: table left behind`);
  if (after === null) return judged.left.add(object, `${object}: table is gone`);
  const writers = {
    writer: await writerOf(is, work, object, seen),
    remover: await removerOf(is, work, object, { seen, file: grounds.marks[object]?.file }),
  };
  const recorded = { was: content[0][object]!, is: content[1][object]!, seen };
  const adder = await adderOf(is, work, object);
  let found = 0;
  const mark = grounds.marks[object];
  const known = { recorded, ours: await columnsOfOurs(is, work, object, { mark, assigns: grounds.assigns }) };
  for await (const difference of differingRows(was, is, object, writers, known)) {
    const { key, how, nowMd5 } = difference;
    const by = difference.by === 'own' && how === 'added' ? adder : difference.by;
    found += 1;
    const row = `${object} ${key}`;
    const byFix = fixed.has(row) ? wordsOfFix(row, nowMd5, fixed, undone) : null;
    if (byFix !== null) {
      await kept.write(`${row}: ${byFix}\n`);
      judged.fixed.add(object, `${row}: ${byFix}`);
    } else (by === 'other' ? judged.written : judged.left).add(object, `${row}: ${told(difference, by)}`);
  }
  // Its hash differs, and no row was found: never taken for equal.
  if (found === 0 && !grounds.reshaped.has(object))
    judged.left.add(object, `${object}: differs (was ${before}, is ${after}), which rows was not found`);
}

/** What a fix has to do with the row as it stands; null where the fix does not explain it. */
function wordsOfFix(
  row: string,
  nowMd5: string | null,
  fixed: ReadonlyMap<string, string | null>,
  undone: ReadonlyMap<string, NotBackLine>,
): string | null {
  if (fixed.get(row) === nowMd5) return 'stays as the fix left it';
  const left = undone.get(row);
  if (left?.altered && left.nowMd5 === nowMd5) return `put back, but a trigger changed ${left.altered} again`;
  return null;
}
