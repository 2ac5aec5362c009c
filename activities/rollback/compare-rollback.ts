// What a rollback left, compared with what was recorded in the snapshot of the backup.
import { count } from '../../src/core/count.ts';
import { migratorOf } from '../migrators/index.ts';
import { journalsOf } from '../../src/core/plan/migrators/index.ts';
import type { CompareInput, Comparison } from '../../src/core/activities.ts';
import {
  compareSnapshots,
  isAmong,
  type Difference,
  describeDifference,
  type Snapshot,
} from '../../src/core/snapshot.ts';
import { takeTargetLock } from '../../src/io/target-lock.ts';
import { readDatabase } from '../database/read-database.ts';
import { recordedSnapshot } from '../backup/backup.ts';
import { judgeRows } from './judge-rows.ts';
import { madeByOthers } from './made-by-others.ts';
import { fromItsRollout, openWork, type Work, type WorkerContext } from '../frame/step-context.ts';

export async function compareRollback(world: WorkerContext, input: CompareInput): Promise<Comparison> {
  fromItsRollout(input.rollout);
  const kept = await world.permitStore.rollout(input.rollout);
  const step = kept?.list.steps[0];
  if (!step) return { equal: true, differences: [], writtenSince: [], summary: 'nothing was deployed here' };
  const work = await openWork(world, input.rollout, step);
  const comparison = await compareNow(work);
  await world.record.compared(kept, comparison.equal);
  return comparison;
}

async function compareNow(work: Work): Promise<Comparison> {
  const recorded = await recordedSnapshot(work);
  if (!recorded)
    return { equal: true, differences: [], writtenSince: [], summary: 'the database was never changed' };
  const hold = await takeTargetLock({
    url: work.url,
    rollout: work.rollout,
    tag: work.tag,
    processNotes: work.world.permitStore.processNotes(work.rollout),
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
  const others = await madeByOthers(work, recorded);
  const isOthers = (difference: Difference) => others.explains(difference);
  const around = objects
    .filter(isOthers)
    .map((difference) => `${describeDifference(difference)}; by others since the backup`);
  const left = objects.filter((difference) => !isOthers(difference)).map(describeDifference);
  const judged = await judgeRows(work, rows, {
    content: [recorded.content, now.content],
    marks: recorded.tables ?? {},
    others: others.relations,
    reshaped: reshaped(differences),
  });
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

/** Tables that have gained or lost a column, or whose columns are others. */
const reshaped = (differences: readonly Difference[]): ReadonlySet<string> =>
  new Set(
    differences.flatMap(({ object }) => {
      const column = /^column (.*)\.(?:"(?:[^"]|"")*"|[^."]+)$/u.exec(object);
      return column ? [column[1]!] : [];
    }),
  );
