// fix: rows that a rule may mend, each exactly as its rule finds it, or a command of the release; the
// before-image of every changed row is kept as an artifact.
import { count } from '../../src/core/count.ts';
import type { DataSpec } from '../../src/core/plan/steps/data.ts';
import type { TargetLock } from '../../src/io/target-lock.ts';
import { type Session, withSession } from '../../src/io/postgres.ts';
import type { StepResult, UndoResult } from '../frame/receipt.ts';
import { exportImages } from './before-images.ts';
import { fixByCommand, recoverImages } from './fix-command.ts';
import { fixRule } from './fix-rule.ts';
import { ensureImageTable, imageTable } from './image-table.ts';
import { type PutBack, putAllBack } from './put-back.ts';
import { recordNotBack } from './not-back.ts';
import { fixableShape, ruleProblem } from './rules.ts';
import type { Work } from '../frame/step-context.ts';

const LISTED = 50;

export async function fixData(work: Work, spec: DataSpec, lock: TargetLock): Promise<StepResult> {
  return withSession(work.url, work.tag, async (session) => {
    await session.query('reset search_path');
    await ensureImageTable(session, work);
    const ruled = await fixByRules(session, work, spec, lock);
    const ran = spec.fix && ruled.stopped === null ? await fixByCommand(work, lock, spec.fix) : null;
    const kept = await exportImages(session, work);
    const total = ruled.rows + (ran?.changed ?? 0);
    const lines = [...ruled.lines, ...(ran?.lines ?? [])];
    const more = { details: lines, figures: { fixed: total }, artifacts: [kept] };
    if (ruled.stopped !== null)
      return {
        ...more,
        verdict: 'error',
        summary: `${ruled.stopped}; ${count(total, 'row')} fixed before`,
      };
    return {
      ...more,
      verdict: ran?.failed ? 'fail' : 'pass',
      summary: ran?.failed
        ? `the fix ${ran.failed}; ${count(total, 'row')} changed`
        : `${count(total, 'row')} fixed, each with its before-image`,
    };
  });
}

interface Ruled {
  readonly rows: number;
  readonly lines: readonly string[];
  /** Why it stopped, by the rule's name. */
  readonly stopped: string | null;
}

async function fixByRules(
  session: Session,
  work: Work,
  { rules }: DataSpec,
  lock: TargetLock,
): Promise<Ruled> {
  const lines: string[] = [];
  let rows = 0;
  for (const rule of rules.filter((candidate) => candidate.fix)) {
    await lock.recheck();
    const problem = ruleProblem(rule);
    const shape = problem === null ? await fixableShape(session, rule) : problem;
    if (typeof shape === 'string') return { rows, lines, stopped: `${rule.name} fails: ${shape}` };
    const fixed = await fixRule(session, work, rule, shape);
    rows += fixed.rows;
    if (fixed.stopped !== null) return { rows, lines, stopped: `${rule.name} fails: ${fixed.stopped}` };
    lines.push(`${rule.name}: ${count(fixed.rows, 'row')} of ${rule.table} set ${rule.fix}`);
    for (const [table, n] of Object.entries(fixed.beside))
      lines.push(`${rule.name}: triggers or cascades also wrote ${count(n, 'row')} of ${table}`);
  }
  return { rows, lines, stopped: null };
}

/** Undo: a before-image rolls back only where the row still equals the after-image; the others are listed. */
export async function undoFix(work: Work): Promise<UndoResult> {
  await recoverImages(work);
  return withSession(work.url, work.tag, async (session) => {
    await session.query('reset search_path');
    const done = await putAllBack(session, work);
    if (done.images === 0) return { done: true, summary: 'no row was fixed', differences: [] };
    const left = await recordNotBack(session, work, LISTED);
    if (done.waiting === 0) await session.query(`drop table if exists ${imageTable(work)}`);
    return {
      done: done.waiting === 0,
      summary: summaryOf(done),
      differences: left.waiting.map((row) => `${row}: cannot be put back`),
      notes: [
        ...left.kept.map((row) => `${row}: changed by somebody since the fix, left as it is`),
        ...left.altered.map((row) => `${row}: put back, but a trigger changed it again`),
        ...more(done.kept + done.altered - left.kept.length - left.altered.length),
      ],
    };
  });
}

function summaryOf({ back, images, kept, altered }: PutBack): string {
  return [
    `${back} of ${count(images, 'row')} put back`,
    ...(altered > 0 ? [`in ${altered} of them a trigger changed something again`] : []),
    ...(kept > 0 ? [`${kept} left because they were changed since`] : []),
  ].join(', ');
}

const more = (n: number): readonly string[] =>
  n > 0 ? [`(and ${n} more; all of them are in the artifact beside the before-images)`] : [];
