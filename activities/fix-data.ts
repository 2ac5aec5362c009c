// fix: the rows that a rule may mend, by key range, with the before-image of every changed row kept as an artifact.
import { appendFile, readFile } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import type { DataSpec, RowRule } from '../src/core/plan/plan.ts';
import { fenceGuard } from '../src/io/fence.ts';
import type { Hold } from '../src/io/hold.ts';
import { quoteTable, type Session, withSession } from '../src/io/postgres.ts';
import type { Outcome, UndoOutcome } from './as-step.ts';
import { primaryKey } from './primary-key.ts';
import { rolloutFolder, type Work } from './work.ts';

/** One changed row: enough to put it back, and to see whether somebody has changed it since. */
interface Image {
  readonly table: string;
  readonly key: string;
  readonly rule: string;
  readonly before: object;
  readonly after: object;
}

const BATCH = 5_000;
const imageName = (work: Work): string => `${rolloutFolder(work.rollout)}/fix-${work.step.index}.jsonl`;

export async function fixData(work: Work, hold: Hold): Promise<Outcome> {
  const { rules } = work.step.spec as unknown as DataSpec;
  const file = await work.world.artifacts.path(imageName(work));
  const lines: string[] = [];
  let total = 0;
  for (const rule of rules.filter((candidate) => candidate.fix)) {
    await hold.recheck();
    const changed = await fixRule(work, rule, file);
    total += changed;
    lines.push(`${rule.name}: ${changed} rows of ${rule.table} set ${rule.fix}`);
  }
  await appendFile(file, '', { mode: 0o600 });
  return {
    verdict: 'pass',
    summary: `${total} rows fixed, each with its before-image`,
    details: lines,
    figures: { fixed: total },
    artifacts: [await work.world.artifacts.describe(imageName(work))],
  };
}

async function fixRule(work: Work, rule: RowRule, file: string): Promise<number> {
  return withSession(work.url, work.tag, async (session) => {
    await session.query('set search_path = public, pg_catalog');
    const key = await primaryKey(session, rule.table);
    let changed = 0;
    for (;;) {
      work.signal.throwIfAborted();
      const images = await fixBatch(session, work, rule, key, file);
      changed += images;
      work.progress(`${rule.name}: ${changed} rows`);
      if (images < BATCH) return changed;
    }
  });
}

/** The images are on disk before the change is committed; a row imaged but not changed is harmless to the undo. */
async function fixBatch(session: Session, work: Work, rule: RowRule, key: string, file: string): Promise<number> {
  await session.query('begin');
  try {
    await session.query(fenceGuard(work.rollout, work.tag));
    const rows = await session.query<{ key: string; before: object; after: object }>(
      `with bad as materialized (select t.ctid as place, ${key} as key, to_jsonb(t) as before from ${quoteTable(rule.table)} t where (${rule.bad}) order by 2 limit ${BATCH} for update)
       update ${quoteTable(rule.table)} t set ${rule.fix} from bad where t.ctid = bad.place returning bad.key, bad.before, to_jsonb(t) as after`,
    );
    const images = rows.map((row): Image => ({ table: qualified(rule.table), rule: rule.name, ...row }));
    if (images.length > 0) await appendDurably(file, images.map((image) => `${JSON.stringify(image)}\n`).join(''));
    await session.query('commit');
    return images.length;
  } catch (error) {
    await session.query('rollback').catch(() => undefined);
    throw error;
  }
}

const qualified = (table: string): string => (table.includes('.') ? table : `public.${table}`);

async function appendDurably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'a', 0o600);
  try {
    await handle.appendFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Undo: a before-image goes back only where the row still equals the after-image; the others are listed. */
export async function undoFix(work: Work): Promise<UndoOutcome> {
  const images = await readImages(work);
  if (images.length === 0) return { done: true, summary: 'no row was fixed', left: [] };
  const kept: string[] = [];
  let back = 0;
  await withSession(work.url, work.tag, async (session) => {
    await session.query('set search_path = public, pg_catalog');
    for (const image of images.reverse()) {
      const outcome = await putBack(session, work, image);
      if (outcome === 'back') back += 1;
      else if (outcome === 'changed since') kept.push(`${image.table} ${image.key}: changed by somebody since the fix, left as it is`);
    }
  });
  return {
    done: true,
    summary: `${back} of ${images.length} rows put back${kept.length > 0 ? `, ${kept.length} left because they were changed since` : ''}`,
    left: [],
    notes: kept,
  };
}

async function putBack(session: Session, work: Work, image: Image): Promise<'back' | 'already' | 'changed since'> {
  const key = await primaryKey(session, image.table);
  await session.query('begin');
  try {
    await session.query(fenceGuard(work.rollout, work.tag));
    const [row] = await session.query<{ is: 'before' | 'after' | 'other' }>(
      `select case when to_jsonb(t) = $2::jsonb then 'after' when to_jsonb(t) = $3::jsonb then 'before' else 'other' end as is from ${quoteTable(image.table)} t where ${key} = $1 for update`,
      [image.key, JSON.stringify(image.after), JSON.stringify(image.before)],
    );
    if (row?.is !== 'after') return row?.is === 'before' ? 'already' : 'changed since';
    const columns = Object.keys(image.before).filter(
      (name) => JSON.stringify((image.before as never)[name]) !== JSON.stringify((image.after as never)[name]),
    );
    const set = columns.map((name) => `"${name.replaceAll('"', '""')}" = r."${name.replaceAll('"', '""')}"`).join(', ');
    if (columns.length > 0)
      await session.query(
        `update ${quoteTable(image.table)} t set ${set} from jsonb_populate_record(null::${quoteTable(image.table)}, $2::jsonb) r where ${key} = $1`,
        [image.key, JSON.stringify(image.before)],
      );
    await session.query('commit');
    return 'back';
  } finally {
    await session.query('rollback').catch(() => undefined);
  }
}

async function readImages(work: Work): Promise<Image[]> {
  const text = await readFile(await work.world.artifacts.path(imageName(work)), 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line.length > 0)
    .map((line) => JSON.parse(line) as Image);
}

/** `table key` of every row that a fix of this rollout changed. */
export async function fixedKeys(work: Work): Promise<ReadonlySet<string>> {
  const fixes = work.list.steps.filter((step) => step.kind === 'fixData');
  const images = await Promise.all(fixes.map((step) => readImages({ ...work, step })));
  return new Set(images.flat().map((image) => `${image.table} ${image.key}`));
}
