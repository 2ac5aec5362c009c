// Before-images as an artifact: what a fix changed, row by row, a line each; enough to put a row back, and to
// see whether somebody changed it since.
import { createReadStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fail } from '../../src/core/failures.ts';
import type { ArtifactRef } from '../../src/core/receipts.ts';
import { hashTree } from '../../src/io/files.ts';
import { type Session, withSession } from '../../src/io/postgres.ts';
import { rolloutFolder } from '../frame/artifact-paths.ts';
import { imageTable, isThere } from './image-table.ts';
import { plainTable } from './table-shape.ts';
import type { Work } from '../frame/step-context.ts';
import { withOwnCopy } from '../frame/own-copy.ts';

/** A row of the database: column → PostgreSQL's own text of the value. */
export type RowImage = Readonly<Record<string, string | null>>;

export interface Image {
  /** Place among the images of its step; a later one was written later. */
  readonly id: number;
  /** `schema.table` */
  readonly table: string;
  /** The partition in which the row is. */
  readonly part: string | null;
  readonly key: string;
  /** Its key as the fix left it, where the fix changed the key itself. */
  readonly keyAfter: string | null;
  /** Name of the rule, or `command`. */
  readonly rule: string;
  /** Null: the fix added this row. */
  readonly before: RowImage | null;
  /** Null: the fix removed it. */
  readonly after: RowImage | null;
  /** md5 of `after` as PostgreSQL prints it; null where the fix removed the row. */
  readonly afterMd5: string | null;
}

const PAGE = 1_000;
/** Characters of a page; a larger image is a page of its own. */
const PAGE_SIZE = 8_000_000;

export const imageName = (work: Pick<Work, 'rollout' | 'step'>): string =>
  `${rolloutFolder(work.rollout)}/fix-${work.step.index}.jsonl`;
/** A line for each row that the undo did not leave as it was before the fix. */
export const undoneName = (work: Pick<Work, 'rollout' | 'step'>): string =>
  `${rolloutFolder(work.rollout)}/fix-${work.step.index}-not-back.jsonl`;
const noteName = (work: Pick<Work, 'step'>): string => `images-${work.step.index}.json`;

/** What is noted of a file of images: its hash, and the last image in it. */
interface Kept extends ArtifactRef {
  readonly last: string;
}

/** Writes all images of the step from the target into the artifact, and notes its hash in the permit store. */
export async function exportImages(session: Session, work: Work): Promise<ArtifactRef> {
  const last = await lastImage(session, work);
  const name = imageName(work);
  const beside = await work.world.permitStore.working(
    work.rollout,
    `images-${work.step.index}.${work.tag.split(':').at(-1)}`,
  );
  try {
    const file = await open(beside, 'w', 0o600);
    try {
      for await (const lines of pages(session, work)) await file.appendFile(`${lines}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    const { sha256: own } = await hashTree(beside);
    const kept = await work.world.artifacts.adopt(name, beside);
    if (kept.sha256 !== own)
      fail('IMAGES_CHANGED', `the before-images ${kept.uri} were changed as they were kept`);
    await work.world.permitStore.noteAgain(work.rollout, noteName(work), JSON.stringify({ ...kept, last }));
    return kept;
  } finally {
    await rm(beside, { force: true });
  }
}

async function lastImage(session: Session, work: Work): Promise<string> {
  if (!(await isThere(session, imageTable(work)))) return '0';
  const [row] = await session.query<{ last: string }>(
    `select coalesce(max(id), 0)::text as last from ${imageTable(work)}`,
  );
  return row?.last ?? '0';
}

/** An image as JSON; its parts are put together as text, because they are JSON already. */
const LINE = `concat('{"id":', id, ',"table":', to_json(place), ',"part":', coalesce(to_json(part), 'null'),
  ',"rule":', to_json(rule), ',"key":', to_json(key), ',"keyAfter":', coalesce(to_json(key_after), 'null'),
  ',"before":', coalesce(before, 'null'), ',"after":', coalesce(after, 'null'),
  ',"afterMd5":', coalesce(to_json(md5(after)), 'null'), '}')`;

/** Lines, page by page. */
async function* pages(session: Session, work: Work): AsyncGenerator<string> {
  if (!(await isThere(session, imageTable(work)))) return;
  for (let after = '0'; ;) {
    const [page] = await session.query<{ last: string | null; lines: string }>(
      `select max(id)::text as last, string_agg(${LINE}, chr(10) order by id) as lines
        from (select *, row_number() over (order by id) as nth,
            sum(coalesce(length(before), 0) + coalesce(length(after), 0)) over (order by id) as size
          from (select * from ${imageTable(work)} where id > $1::bigint order by id limit ${PAGE}) i) page
        where nth = 1 or size <= ${PAGE_SIZE}`,
      [after],
    );
    if (!page || page.last === null) return;
    yield page.lines;
    after = page.last;
    work.progress(`keeping before-images: ${after}`);
  }
}

/** Two that read at the same time never share a file. */
let readers = 0;

/**
 * The lines of the artifact, none where the step never came to a fix.
 * @throws StepFailure IMAGES_CHANGED when the file is not the one that was kept.
 */
export async function* imageLines(work: Work): AsyncGenerator<string> {
  const note = await work.world.permitStore.note(work.rollout, noteName(work));
  if (note === undefined) return;
  const kept = JSON.parse(note) as Kept;
  const changed = (isGone: boolean) =>
    fail(
      'IMAGES_CHANGED',
      `the before-images ${kept.uri} are ${isGone ? 'gone' : 'not what the fix has written'}; nothing was ` +
        'put back from them',
    );
  readers += 1;
  const name = `read-${readers}-${noteName(work)}.${work.tag.split(':').at(-1)}`;
  const path = await work.world.permitStore.working(work.rollout, name);
  try {
    await withOwnCopy(work, kept, changed, (own) => rename(own, path));
    for await (const line of createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Infinity }))
      if (line !== '') yield line;
  } finally {
    await rm(path, { force: true });
  }
}

/** The table that holds the row: of a partitioned one or one with heirs, the part. */
export const placeOf = ({ part, table }: { readonly part: string | null; readonly table: string }): string =>
  part === null ? table : plainTable(part);

/** `table key` of each row that a fix of this rollout changed → md5 of the row as the latest fix left it. */
export async function fixedRows(work: Work): Promise<ReadonlyMap<string, string | null>> {
  const found = new Map<string, string | null>();
  for (const step of work.list.steps.filter(({ kind }) => kind === 'fixData'))
    for await (const line of imageLines({ ...work, step })) {
      const image = JSON.parse(line) as Image;
      const { key, keyAfter, afterMd5 } = image;
      const table = placeOf(image);
      // Where the key itself was changed, nothing is left under the old one.
      if (keyAfter !== null) found.set(`${table} ${key}`, null);
      found.set(`${table} ${keyAfter ?? key}`, afterMd5);
    }
  return found;
}

/** A fix that was cut off has written images that no file holds yet: they are kept now; a whole file stays. */
export async function keepLateImages(work: Work): Promise<void> {
  const note = await work.world.permitStore.note(work.rollout, noteName(work));
  const kept = note === undefined ? '0' : (JSON.parse(note) as Kept).last;
  await withSession(work.url, work.tag, async (session) => {
    if (BigInt(await lastImage(session, work)) > BigInt(kept)) await exportImages(session, work);
  });
}
