// The rollback by restore: the proven dump into a fresh database beside the target, compared, then given its
// name.
// The old database is kept under another name; rows written since the backup are counted, listed by table and
// named as lost.
import { count } from '../../src/core/count.ts';
import { fail } from '../../src/core/failures.ts';
import { quorumMet } from '../../src/core/quorum.ts';
import type { UndoInput } from '../../src/core/activities.ts';
import { replacedDatabase, restoredDatabase } from '../../src/core/ids.ts';
import { asCopied, compareSnapshots, describeDifference, type Snapshot } from '../../src/core/snapshot.ts';
import { lowerFence, raiseFence } from '../../src/io/fence.ts';
import { databaseName, withDatabase, withSession } from '../../src/io/postgres.ts';
import { readContent } from '../../src/io/snapshot.ts';
import { readDatabase } from '../database/read-database.ts';
import type { UndoResult } from '../frame/receipt.ts';
import { withProvenDump, provenBackup, recordedSnapshot } from '../backup/backup.ts';
import { fixedRows } from '../data/before-images.ts';
import { differingRows } from './compare-rows.ts';
import { adderOf, removerOf, writerOf } from './row-writers.ts';
import { asRestorer } from '../backup/restore-login.ts';
import { recreateFrom } from '../backup/scratch.ts';
import { carryOver } from './carry-over.ts';
import { databaseExists, swapNames } from './swap-names.ts';
import { judgePerson } from '../permit/verify.ts';
import type { Work } from '../frame/step-context.ts';

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
  const notes: string[] = [];
  if (!(await databaseExists(work, aside))) {
    work.progress('restoring the proven backup beside the target');
    await withProvenDump(work, (dump) => recreateFrom(work, fresh, dump));
    await compareWithRecorded(work, fresh, recorded);
    const restorer = await asRestorer(work);
    await carryOver(restorer, databaseName(work.url), fresh);
    await withSession(withDatabase(work.url, fresh), work.tag, (session) =>
      raiseFence(session, work.rollout, work.tag),
    );
    const { closedMs, ended } = await swapNames(restorer, fresh, aside);
    notes.push(`the target was closed for ${closedMs} ms, ${ended} sessions were ended`);
  }
  const lost = await lostRows(work, aside, recorded);
  await withSession(withDatabase(work.url, aside), work.tag, (session) => lowerFence(session, work.rollout));
  return {
    done: true,
    summary:
      'restored the proven backup; what was there is kept as ' +
      `${aside}${lost.rows > 0 ? `; lost: ${count(lost.rows, 'row')} written since the backup` : ''}`,
    differences: [],
    notes: [...notes, ...lost.lines.map((line) => `lost: ${line}`)],
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
      const verdict = judgePerson(work.world, signed, signed.message, { any: [] });
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
  const restored = await readDatabase(work, { url: withDatabase(work.url, database), saying: 'comparing' });
  const differences = compareSnapshots(asCopied(recorded), asCopied(restored)).map(describeDifference);
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
): Promise<{ readonly rows: number; readonly lines: readonly string[] }> {
  const fixed = await fixedRows(work);
  const { seen } = (await provenBackup(work))!;
  return withSession(withDatabase(work.url, aside), work.tag, async (old) => {
    const content = await readContent(old, (table) =>
      work.progress(`counting what was written since: ${table}`),
    );
    const changed = compareSnapshots(
      { ...recorded, catalog: {} },
      { catalog: {}, content, sequences: {} },
    ).filter((difference) => difference.what === 'content');
    return withSession(work.url, work.tag, async (restored) => {
      const losses: { readonly rows: number; readonly line: string }[] = [];
      for (const { object, was } of changed) {
        if (was === null) {
          const rows = content[object]?.rows ?? 0;
          losses.push({ rows, line: `${object}: ${count(rows, 'row')} of a table that was not there` });
        } else {
          const examples: string[] = [];
          let rows = 0;
          const writers = {
            writer: await writerOf(old, work, object, seen),
            remover: await removerOf(old, work, object, { seen, file: recorded.tables?.[object]?.file }),
          };
          const adder = await adderOf(old, work, object);
          for await (const { key, how, nowMd5, by: writer } of differingRows(restored, old, object, writers, {
            recorded: { was: recorded.content[object]!, is: content[object]!, seen },
          })) {
            const name = `${object} ${key}`;
            const by = writer === 'own' && how === 'added' ? adder : writer;
            // What this rollout wrote is no loss; what somebody made of it afterwards is.
            if (by === 'own' || by === 'nobody' || (fixed.has(name) && fixed.get(name) === nowMd5)) continue;
            rows += 1;
            if (examples.length < EXAMPLES) examples.push(`${key} ${how}`);
          }
          if (rows > 0)
            losses.push({
              rows,
              line: `${object}: ${count(rows, 'row')} (${[...examples, ...(rows > EXAMPLES ? ['…'] : [])].join(', ')})`,
            });
        }
      }
      losses.sort((one, other) => other.rows - one.rows);
      return { rows: losses.reduce((sum, { rows }) => sum + rows, 0), lines: losses.map(({ line }) => line) };
    });
  });
}
