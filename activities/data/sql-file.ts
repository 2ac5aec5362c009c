// sql: a reviewed file in one transaction with its mark in our own schema, so that it has run exactly once or
// not at all.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SqlFileSpec } from '../../src/core/plan/steps/sql.ts';
import { specOf } from '../../src/core/specs.ts';
import { fenceGuard } from '../../src/io/fence.ts';
import { quoteText, type Session, withSession } from '../../src/io/postgres.ts';
import type { TargetLock } from '../../src/io/target-lock.ts';
import type { StepResult, UndoResult } from '../frame/receipt.ts';
import type { Work } from '../frame/step-context.ts';
import { applyFile, refuseTransactions } from '../migrators/sql-file.ts';

const MARKS = 'soakgate.sql_files';
const UNDO_LIMITS = { lockTimeoutMs: 50, giveUpAfterMs: 300_000, statementTimeoutMs: 3_600_000 };

export async function sqlFile(work: Work, spec: SqlFileSpec, lock: TargetLock): Promise<StepResult> {
  // The undo too: whether it can be run is no question for the night in which it is needed.
  for (const file of [spec.file, spec.undo])
    if (file) refuseTransactions(file, await readFile(join(work.checkout, file), 'utf8'));
  if (await isMarked(work)) return { verdict: 'pass', summary: `${spec.file}: already applied` };
  const stamp = `insert into ${MARKS} (rollout, step)
    values (${quoteText(work.rollout.hash)}, ${work.step.index})`;
  const { lockTimeoutMs, giveUpAfterMs, statementTimeoutMs } = spec;
  const lines = await applyFile(
    work,
    work.url,
    { name: spec.file, file: join(work.checkout, spec.file), stamp },
    {
      lockTimeoutMs,
      giveUpAfterMs,
      statementTimeoutMs,
      guard: fenceGuard(work.rollout, work.tag),
      recheck: () => lock.recheck(),
    },
  );
  const [summary = '', ...details] = lines;
  return { verdict: 'pass', summary, ...(details.length > 0 && { details }) };
}

/**
 * Undo of sql: its own file, if the step's transaction was committed; the mark goes in the same transaction.
 */
export async function undoSqlFile(work: Work): Promise<UndoResult> {
  const undo = specOf(work.step, 'sqlFile')?.undo;
  if (undo === undefined || !(await isMarked(work)))
    return { done: true, summary: 'the file has left nothing', differences: [] };
  const stamp = `delete from ${MARKS} where rollout = ${quoteText(work.rollout.hash)}
    and step = ${work.step.index}`;
  const lines = await applyFile(
    work,
    work.url,
    { name: undo, file: join(work.checkout, undo), stamp },
    { ...UNDO_LIMITS, guard: fenceGuard(work.rollout, work.tag) },
  );
  return { done: true, summary: lines.join('; '), differences: [] };
}

/** Asked under the target lock, so nobody else is just writing it. */
function isMarked(work: Work): Promise<boolean> {
  return withSession(work.url, work.tag, async (session) => {
    await makeMarks(session);
    const rows = await session.query(`select from ${MARKS} where rollout = $1 and step = $2`, [
      work.rollout.hash,
      work.step.index,
    ]);
    return rows.length > 0;
  });
}

async function makeMarks(session: Session): Promise<void> {
  await session.query(
    `create table if not exists ${MARKS} (rollout text, step int, at timestamptz not null
      default now(), primary key (rollout, step))`,
  );
}
