// Before-images: what a fix changed, row by row, as an artifact; enough to put a row back, and to see whether
// somebody changed it since.
import { ifAbsent } from '../../src/io/files.ts';
import { open, readFile } from 'node:fs/promises';
import { fenceGuard } from '../../src/io/fence.ts';
import { quoteName, quoteTable, serverError, type Session } from '../../src/io/postgres.ts';
import { rolloutFolder } from '../frame/artifact-paths.ts';
import { primaryKey } from './primary-key.ts';
import type { Work } from '../frame/step-context.ts';

export interface Image {
  readonly table: string;
  readonly key: string;
  /** Name of the rule, or `command`. */
  readonly rule: string;
  /** Null: the fix added this row. */
  readonly before: Readonly<Record<string, unknown>> | null;
  /** Null: the fix removed it. */
  readonly after: Readonly<Record<string, unknown>> | null;
}

export const imageName = (work: Work): string =>
  `${rolloutFolder(work.rollout)}/fix-${work.step.index}.jsonl`;
export const qualified = (table: string): string => (table.includes('.') ? table : `public.${table}`);
const FOREIGN_KEY = '23503';

/** On disk before this returns; a line that stands there already is not written again. */
export async function appendImages(work: Work, images: readonly Image[]): Promise<void> {
  const file = await work.world.artifacts.path(imageName(work));
  const there = new Set((await readFile(file, 'utf8').catch(ifAbsent(''))).split('\n'));
  const lines = images.map((image) => JSON.stringify(image)).filter((line) => !there.has(line));
  await appendDurably(file, lines.map((line) => `${line}\n`).join(''));
}

/** The same without a look at what stands there: a rule fixes a row once. */
export async function appendBatch(file: string, images: readonly Image[]): Promise<void> {
  await appendDurably(file, images.map((image) => `${JSON.stringify(image)}\n`).join(''));
}

async function appendDurably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'a', 0o600);
  try {
    await handle.appendFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A last line that a killed worker left half-written belongs to a change that was never committed. */
export async function readImages(work: Work): Promise<Image[]> {
  const text = await readFile(await work.world.artifacts.path(imageName(work)), 'utf8').catch(ifAbsent(''));
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
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

export type Back = 'back' | 'already' | 'changed since' | 'waits';

/** Newest first; what a foreign key keeps away waits for the row that it points to. */
export async function putAllBack(
  session: Session,
  work: Work,
  images: readonly Image[],
): Promise<ReadonlyMap<Image, Back>> {
  const outcomes = new Map<Image, Back>();
  let rest: readonly Image[] = images.toReversed();
  while (rest.length > 0) {
    for (const image of rest) outcomes.set(image, await putBack(session, work, image));
    const waiting = rest.filter((image) => outcomes.get(image) === 'waits');
    if (waiting.length === rest.length) break;
    rest = waiting;
  }
  return outcomes;
}

/** Only where the row still is what the fix left. */
async function putBack(session: Session, work: Work, image: Image): Promise<Back> {
  const key = await primaryKey(session, image.table);
  const table = quoteTable(image.table);
  await session.query('begin');
  try {
    await session.query(fenceGuard(work.rollout, work.tag));
    const [row] = await session.query<{ after: boolean; before: boolean }>(
      `select to_jsonb(t) = $2::jsonb as after, to_jsonb(t) = $3::jsonb as before
        from ${table} t where ${key} = $1 for update`,
      [image.key, asJson(image.after), asJson(image.before)],
    );
    const state = stateOf(image, row);
    if (state !== 'back') return state;
    await change(session, image, table, key);
    await session.query('commit');
    return 'back';
  } catch (error) {
    if (serverError(error)?.code === FOREIGN_KEY) return 'waits';
    throw error;
  } finally {
    await session.query('rollback').catch(() => undefined);
  }
}

function stateOf({ before, after }: Image, row: { after: boolean; before: boolean } | undefined): Back {
  if (!row) return after === null ? 'back' : before === null ? 'already' : 'changed since';
  if (row.after) return 'back';
  return row.before ? 'already' : 'changed since';
}

async function change(
  session: Session,
  { before, after, key: value }: Image,
  table: string,
  key: string,
): Promise<void> {
  if (before === null) {
    await session.query(`delete from ${table} t where ${key} = $1`, [value]);
    return;
  }
  const names = (await writableColumns(session, table)).filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after?.[name]),
  );
  if (names.length === 0) return;
  const record = `jsonb_populate_record(null::${table}, $1::jsonb) r`;
  const columns = names.map(quoteName);
  if (after === null)
    await session.query(
      `insert into ${table} (${columns.join(', ')}) overriding system value
        select ${columns.map((name) => `r.${name}`).join(', ')} from ${record}`,
      [asJson(before)],
    );
  else
    await session.query(
      `update ${table} t set ${columns.map((name) => `${name} = r.${name}`).join(', ')}
        from ${record} where ${key} = $2`,
      [asJson(before), value],
    );
}

const asJson = (row: Image['before']): string | null => (row === null ? null : JSON.stringify(row));

/** Generated columns follow by themselves. */
async function writableColumns(session: Session, table: string): Promise<readonly string[]> {
  const rows = await session.query<{ name: string }>(
    `select attname as name from pg_attribute where attrelid = to_regclass($1) and attnum > 0
      and not attisdropped and attgenerated = ''`,
    [table],
  );
  return rows.map((row) => row.name);
}
