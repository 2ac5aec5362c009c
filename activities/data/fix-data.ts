// fix: rows that a rule may mend, by key range, or a command of the release; the before-image of every
// changed row is kept as an artifact.
import { count } from '../../src/core/count.ts';
import type { DataSpec, RowRule } from '../../src/core/plan/steps/data.ts';
import { fail } from '../../src/core/failures.ts';
import { FENCED_STATE, fenceGuard } from '../../src/io/fence.ts';
import type { TargetLock } from '../../src/io/target-lock.ts';
import { quoteTable, serverError, type Session, withSession } from '../../src/io/postgres.ts';
import type { StepResult, UndoResult } from '../frame/receipt.ts';
import {
  appendBatch,
  appendImages,
  type Image,
  imageName,
  putAllBack,
  qualified,
  readImages,
} from './before-images.ts';
import { fixByCommand, recoverImages } from './fix-command.ts';
import { primaryKey } from './primary-key.ts';
import type { Work } from '../frame/step-context.ts';

const BATCH = 5_000;

export async function fixData(work: Work, { rules, fix }: DataSpec, lock: TargetLock): Promise<StepResult> {
  const file = await work.world.artifacts.path(imageName(work));
  await appendImages(work, []);
  const lines: string[] = [];
  let total = 0;
  for (const rule of rules.filter((candidate) => candidate.fix)) {
    await lock.recheck();
    const changed = await fixRule(work, rule, file);
    if (typeof changed === 'string')
      return {
        verdict: 'error',
        summary: `${rule.name} fails: ${changed}; ${count(total, 'row')} fixed before`,
        details: lines,
        figures: { fixed: total },
      };
    total += changed;
    lines.push(`${rule.name}: ${changed} rows of ${rule.table} set ${rule.fix}`);
  }
  const ran = fix ? await fixByCommand(work, lock, fix) : null;
  total += ran?.changed ?? 0;
  return {
    verdict: ran?.failed ? 'fail' : 'pass',
    summary: ran?.failed
      ? `the fix ${ran.failed}; ${count(total, 'row')} changed`
      : `${count(total, 'row')} fixed, each with its before-image`,
    details: [...lines, ...(ran?.lines ?? [])],
    figures: { fixed: total },
    artifacts: [await work.world.artifacts.describe(imageName(work))],
  };
}

/** How many rows, or what PostgreSQL says; batches before it stay, with their images. */
async function fixRule(work: Work, rule: RowRule, file: string): Promise<number | string> {
  return withSession(work.url, work.tag, async (session) => {
    await session.query('set search_path = public, pg_catalog');
    const key = await primaryKey(session, rule.table);
    let changed = 0;
    for (;;) {
      work.signal.throwIfAborted();
      const images = await fixBatch(session, work, rule, key, file);
      if (typeof images === 'string') return images;
      changed += images;
      work.progress(`${rule.name}: ${count(changed, 'row')}`);
      if (images < BATCH) return changed;
    }
  });
}

/**
 * The images are on disk before the change is committed; a row imaged but not changed is harmless to the
 * undo.
 */
async function fixBatch(
  session: Session,
  work: Work,
  rule: RowRule,
  key: string,
  file: string,
): Promise<number | string> {
  await session.query('begin');
  try {
    await session.query(fenceGuard(work.rollout, work.tag));
    const rows = await session.query<Pick<Image, 'key' | 'before' | 'after'>>(
      `with bad as materialized (select t.ctid as place, ${key} as key, to_jsonb(t) as before
        from ${quoteTable(rule.table)} t where (${rule.bad}) order by 2 limit ${BATCH} for update)
       update ${quoteTable(rule.table)} t set ${rule.fix} from bad where t.ctid = bad.place
       returning bad.key, bad.before, to_jsonb(t) as after`,
    );
    const images = rows.map((row): Image => ({ table: qualified(rule.table), rule: rule.name, ...row }));
    if (images.length > 0) await appendBatch(file, images);
    await session.query('commit');
    return images.length;
  } catch (error) {
    await session.query('rollback').catch(() => undefined);
    const said = serverError(error);
    if (said?.code === FENCED_STATE) fail('FENCED', `a later attempt has taken over before ${rule.name}`);
    // What the rule itself says wrong; a session that was ended is no such thing.
    if (said && !/^(?:57|08|SG)/u.test(said.code)) return `${said.message} (${said.code})`;
    throw error;
  }
}

/** Undo: a before-image rolls back only where the row still equals the after-image; the others are listed. */
export async function undoFix(work: Work): Promise<UndoResult> {
  await recoverImages(work);
  const images = await readImages(work);
  if (images.length === 0) return { done: true, summary: 'no row was fixed', differences: [] };
  const outcomes = await withSession(work.url, work.tag, async (session) => {
    await session.query('set search_path = public, pg_catalog');
    return putAllBack(session, work, images);
  });
  const of = (wanted: string) => images.filter((image) => outcomes.get(image) === wanted);
  const kept = of('changed since');
  const waiting = of('waits');
  const back = of('back').length;
  return {
    done: waiting.length === 0,
    summary:
      `${back} of ${count(images.length, 'row')} put ` +
      `back${kept.length > 0 ? `, ${kept.length} left because they were changed since` : ''}`,
    differences: waiting.map(
      (image) => `${image.table} ${image.key}: a foreign key keeps its before-image away`,
    ),
    notes: kept.map(
      (image) => `${image.table} ${image.key}: changed by somebody since the fix, left as it is`,
    ),
  };
}
