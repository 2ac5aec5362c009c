// What a rollback left, compared with what was recorded in the snapshot of the backup.
import { count } from '../../src/core/count.ts';
import { migratorOf } from '../migrators/index.ts';
import { journalsOf } from '../../src/core/plan/migrators/index.ts';
import type { CompareInput, Comparison } from '../../src/core/activities.ts';
import { compareDatabase } from '../../src/core/ids.ts';
import {
  compareSnapshots,
  isAmong,
  type Difference,
  describeDifference,
  type Snapshot,
} from '../../src/core/snapshot.ts';
import { takeTargetLock } from '../../src/io/target-lock.ts';
import { withDatabase, withSession } from '../../src/io/postgres.ts';
import { readDatabase } from '../database/read-database.ts';
import { dumpName, provenBackup, recordedSnapshot } from '../backup/backup.ts';
import { fixedRows } from '../data/before-images.ts';
import { type NotBackLine, undoneRows } from '../data/put-back.ts';
import { differingRows } from './compare-rows.ts';
import { keptName, openKept } from './kept-rows.ts';
import { removerOf, toldBy, writerOf } from './row-writers.ts';
import { Tally } from './tally.ts';
import { dropScratch, recreateFrom } from '../backup/scratch.ts';
import { fromItsRollout, openWork, type Work, type WorkerContext } from '../frame/step-context.ts';

export async function compareRollback(world: WorkerContext, input: CompareInput): Promise<Comparison> {
  fromItsRollout(input.rollout);
  const step = (await world.permitStore.rollout(input.rollout))?.list.steps[0];
  if (!step) return { equal: true, differences: [], writtenSince: [], summary: 'nothing was deployed here' };
  const work = await openWork(world, input.rollout, step);
  const recorded = await recordedSnapshot(work);
  if (!recorded)
    return { equal: true, differences: [], writtenSince: [], summary: 'the database was never changed' };
  const hold = await takeTargetLock({
    url: work.url,
    rollout: work.rollout,
    tag: work.tag,
    processNotes: world.permitStore.processNotes(work.rollout),
  });
  try {
    const now = await readDatabase(work, { saying: 'comparing' });
    await work.record('after', 'database.json', now);
    return await judge(work, recorded, now);
  } finally {
    await hold.release();
  }
}

async function judge(work: Work, recorded: Snapshot, now: Snapshot): Promise<Comparison> {
  const { migrations } = work.list;
  const journals = migrations
    ? [...journalsOf(migrations), ...(migratorOf(migrations.tool).leavesRows?.(work) ?? [])]
    : [];
  const differences = compareSnapshots(recorded, now, journals);
  const rows = differences.filter((difference) => difference.what === 'content');
  const leftOut = compareSnapshots({ ...recorded, catalog: {} }, { ...now, catalog: {} })
    .filter(({ what, object }) => what === 'content' && isAmong(object, journals))
    .map(({ object, was, is }) => `${object}: not compared row by row (was ${was}, is ${is})`);
  const objects = differences.filter((difference) => difference.what === 'catalog');
  // Owner, grants and settings of the database are nothing that a migration of this rollout may change.
  const around = objects
    .filter(({ object }) => object.startsWith('database '))
    .map((difference) => `${describeDifference(difference)}; changed by others since the backup`);
  const left = objects.filter(({ object }) => !object.startsWith('database ')).map(describeDifference);
  const judged = await judgeRows(work, rows, reshaped(differences), [recorded.content, now.content]);
  const leftOver = left.length + judged.left.count;
  return {
    equal: leftOver === 0,
    differences: [...left, ...judged.left.lines()],
    writtenSince: [...judged.written.lines(), ...judged.fixed.lines(), ...leftOut, ...around],
    summary: [
      leftOver === 0
        ? 'schema and content as recorded'
        : `${count(leftOver, 'difference')} from the recorded state`,
      ...(judged.written.count > 0 ? [`${count(judged.written.count, 'row')} written since`] : []),
      ...(judged.fixed.count > 0
        ? [`${count(judged.fixed.count, 'row')} changed by a fix, listed in ${judged.file}`]
        : []),
    ].join(', '),
  };
}

interface Judged {
  readonly left: Tally;
  readonly written: Tally;
  /** Rows that a fix has changed and that stay changed; all of them stand in the file. */
  readonly fixed: Tally;
  readonly file: string;
}

/** Restores the proven dump once more and compares the differing tables row by row. */
async function judgeRows(
  work: Work,
  tables: readonly Difference[],
  otherShape: ReadonlySet<string>,
  [hashedWas, hashedIs]: readonly [Snapshot['content'], Snapshot['content']],
): Promise<Judged> {
  const judged = { left: new Tally(), written: new Tally(), fixed: new Tally(), file: keptName(work) };
  if (tables.length === 0) return judged;
  const database = compareDatabase(work.rollout);
  const [fixed, undone] = [await fixedRows(work), await undoneRows(work)];
  const { seen: snapshot } = (await provenBackup(work))!;
  await recreateFrom(work, database, dumpName(work));
  const kept = await openKept(work);
  try {
    await withSession(withDatabase(work.url, database), work.tag, async (was) =>
      withSession(work.url, work.tag, async (is) => {
        for (const { object, was: before, is: after } of tables) {
          work.progress(`comparing rows of ${object}`);
          if (before === null) judged.left.add(object, `${object}: table left behind`);
          else if (after === null) judged.left.add(object, `${object}: table is gone`);
          else {
            let seen = 0;
            const writers = {
              writer: await writerOf(is, work, object, snapshot),
              remover: await removerOf(is, work, object),
            };
            for await (const { key, how, nowMd5, by } of differingRows(was, is, object, writers, {
              was: hashedWas[object]!,
              is: hashedIs[object]!,
              seen: snapshot,
            })) {
              seen += 1;
              const row = `${object} ${key}`;
              const byFix = fixed.has(row) ? wordsOfFix(row, nowMd5, fixed, undone) : null;
              if (byFix !== null) {
                await kept.write(`${row}: ${byFix}\n`);
                judged.fixed.add(object, `${row}: ${byFix}`);
              } else
                (by === 'other' ? judged.written : judged.left).add(object, `${row}: ${how} ${toldBy[by]}`);
            }
            // Its hash differs, and no row was found: never taken for equal.
            if (seen === 0 && !otherShape.has(object))
              judged.left.add(
                object,
                `${object}: differs (was ${before}, is ${after}), which rows was not found`,
              );
          }
        }
      }),
    );
  } finally {
    await kept.end();
    await dropScratch(work, database);
  }
  return judged;
}

/** Tables that have gained or lost a column, or whose columns are others. */
const reshaped = (differences: readonly Difference[]): ReadonlySet<string> =>
  new Set(
    differences.flatMap(({ object }) => {
      const column = /^column (.*)\.(?:"(?:[^"]|"")*"|[^."]+)$/u.exec(object);
      return column ? [column[1]!] : [];
    }),
  );

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
