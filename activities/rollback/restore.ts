// The rollback by restore: the proven dump into a fresh database beside the target, compared, then given its
// name.
// The old database is kept under another name; rows written since the backup are counted, listed by table and
// named as lost.
import { count } from '../../src/core/count.ts';
import { fail } from '../../src/core/failures.ts';
import { quorumMet } from '../../src/core/quorum.ts';
import type { UndoInput } from '../../src/core/activities.ts';
import { replacedDatabase, restoredDatabase } from '../../src/core/ids.ts';
import { compareSnapshots, describeDifference, type Snapshot } from '../../src/core/snapshot.ts';
import { lowerFence, raiseFence } from '../../src/io/fence.ts';
import { databaseName, withDatabase, withSession } from '../../src/io/postgres.ts';
import { readSnapshot, readWholeSnapshot } from '../../src/io/snapshot.ts';
import type { UndoResult } from '../frame/receipt.ts';
import { dumpName, recordedSnapshot } from '../backup/backup.ts';
import { fixedKeys } from '../data/before-images.ts';
import { compareRows } from './compare-rollback.ts';
import { recreateFrom } from '../backup/scratch.ts';
import { carryOver, databaseExists, swapNames } from './swap-names.ts';
import { judgePerson } from '../permit/verify.ts';
import type { Work } from '../frame/step-context.ts';
import { foreignWrites, noteWritesAfterRestore } from '../frame/write-counts.ts';

const FOREIGN_NOTE = 'foreign-writes-before-restore.json';
const APPROVED_NOTE = 'restore-approved.json';
const LISTED = 20;
const EXAMPLES = 5;

/**
 * Undo of everything in the database; done once, however often it is asked: the names tell how far it came.
 */
export async function restore(work: Work, input: UndoInput): Promise<UndoResult> {
  await checkApproved(work, input);
  const recorded =
    (await recordedSnapshot(work)) ?? fail('BACKUP_MISSING', 'no backup of this rollout has been proven');
  const [fresh, aside] = [restoredDatabase(work.rollout), replacedDatabase(work.rollout)];
  const { permitStore } = work.world;
  const notes: string[] = [];
  if (!(await databaseExists(work, aside))) {
    work.progress('restoring the proven backup beside the target');
    await recreateFrom(work, fresh, dumpName(work));
    await compareWithRecorded(work, fresh, recorded);
    await carryOver(work, databaseName(work.url), fresh);
    await withSession(withDatabase(work.url, fresh), work.tag, (session) =>
      raiseFence(session, work.rollout, work.tag),
    );
    const { closedMs, ended } = await swapNames(work, fresh, aside);
    notes.push(`the target was closed for ${closedMs} ms, ${ended} sessions were ended`);
  }
  // Whose writes they were is asked once: from then on the counters are those of the restored database.
  const foreign = JSON.parse(
    await permitStore.noteOnce(
      work.rollout,
      FOREIGN_NOTE,
      JSON.stringify(await foreignWrites(work, withDatabase(work.url, aside))),
    ),
  ) as Readonly<Record<string, number>>;
  await noteWritesAfterRestore(work);
  const lost = await lostRows(work, aside, recorded, foreign);
  await withSession(withDatabase(work.url, aside), work.tag, (session) => lowerFence(session, work.rollout));
  return {
    done: true,
    summary:
      'restored the proven backup; what was there is kept as ' +
      `${aside}${lost.length > 0 ? `, with ${count(lost.length, 'table')} written since` : ''}`,
    differences: [],
    notes: [...notes, ...lost.map((line) => `lost: ${line}`)],
  };
}

/**
 * Signed by somebody with each role that the fallback asks for, about this rollout and this fallback;
 * verified here, where it writes.
 */
async function checkApproved(work: Work, { approvals = [] }: UndoInput): Promise<void> {
  const { settings, permitStore } = work.world;
  const wanted = Object.entries(work.list.fallbacks).filter(([, fallback]) => 'restore' in fallback);
  if (wanted.length === 0) fail('NOT_PERMITTED', 'the plan has no fallback that restores');
  if ((await permitStore.note(work.rollout, APPROVED_NOTE)) !== undefined) return;
  const missing = wanted.map(([name, fallback]) => {
    const roles = 'restore' in fallback ? (fallback.approved?.roles ?? []) : [];
    const people = approvals.flatMap((signed) => {
      const { body } = signed;
      const about = body.deployment === work.rollout.deployment && body.environment === settings.environment;
      const word =
        signed.message === 'decide'
          ? body['decision']
          : signed.message === 'rollback'
            ? body['fallback']
            : undefined;
      const verdict = judgePerson(settings, signed, signed.message, { any: [] });
      return about && word === name && verdict.accepted
        ? [{ name: signed.person, roles: verdict.roles }]
        : [];
    });
    return quorumMet({ each: roles }, people).missing;
  });
  if (!missing.some((roles) => roles.length === 0))
    fail(
      'PERMIT_REFUSED',
      'a restore loses what was written since the backup and is not approved: ' +
        `${missing[0]?.join(', ')} is missing`,
    );
  await permitStore.noteOnce(work.rollout, APPROVED_NOTE, JSON.stringify(approvals));
}

async function compareWithRecorded(work: Work, database: string, recorded: Snapshot): Promise<void> {
  work.progress('comparing the restored copy with the record');
  const restored = await withSession(withDatabase(work.url, database), work.tag, (session) =>
    readSnapshot(session),
  );
  const differences = compareSnapshots(recorded, restored).map(describeDifference);
  if (differences.length > 0)
    fail(
      'RESTORE_FAILED',
      'the restored copy is not what was recorded; the target is as it was',
      differences.slice(0, LISTED),
    );
}

/**
 * What others wrote since the backup, table by table; read when nobody can write to it any more. What this
 * rollout wrote is not lost.
 */
async function lostRows(
  work: Work,
  aside: string,
  recorded: Snapshot,
  foreign: Readonly<Record<string, number>>,
): Promise<readonly string[]> {
  const fixed = await fixedKeys(work);
  return withSession(withDatabase(work.url, aside), work.tag, async (old) => {
    const now = await readWholeSnapshot(old, {
      onTable: (table) => work.progress(`counting what was written since: ${table}`),
    });
    const changed = compareSnapshots({ ...recorded, catalog: {} }, { ...now, catalog: {} }).filter(
      (difference) => difference.what === 'content',
    );
    return withSession(work.url, work.tag, async (restored) => {
      const lines: string[] = [];
      for (const { object, was } of changed.filter((difference) => (foreign[difference.object] ?? 0) > 0)) {
        if (was === null)
          lines.push(`${object}: ${now.content[object]?.rows} rows of a table that was not there`);
        else {
          const rows = (await compareRows(restored, old, object)).filter(
            ({ key }) => !fixed.has(`${object} ${key}`),
          );
          const examples = rows.slice(0, EXAMPLES).map(({ key, how }) => `${key} ${how}`);
          if (rows.length > 0)
            lines.push(
              `${object}: ${count(rows.length, 'row')} ` +
                `(${[...examples, ...(rows.length > EXAMPLES ? ['…'] : [])].join(', ')})`,
            );
        }
      }
      return lines;
    });
  });
}
