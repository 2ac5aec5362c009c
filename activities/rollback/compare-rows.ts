// Rows of one table in two databases, held against each other by key: first by hashes of buckets, then row by
// row in the buckets that differ; memory does not grow with the table.
import { quoteName, quoteText, type Session } from '../../src/io/postgres.ts';
import { rowHash } from '../../src/io/snapshot.ts';
import { newerRows, type Recorded } from './newer-rows.ts';
import type { RowDifference, Writer, Writers } from './row-writers.ts';
import { keyText, rowImage, type TableShape, tableShape } from '../data/table-shape.ts';

const BUCKETS = 1024;
const PAGE = 2_000;

interface Row {
  readonly key: string;
  readonly md5: string;
  /** md5 of what the columns hold that this rollout may have changed; null where there are none. */
  readonly ours: string | null;
  readonly by: Writer;
}

/** What is known of a table besides its rows. */
export interface Known {
  readonly recorded?: Recorded;
  /** Columns that this rollout may have changed. */
  readonly ours?: readonly string[];
}

/**
 * Rows of `is` that `was` does not have so, in the order of their keys. A table that has gained or lost a
 * column is compared in the columns that both have: that it has another shape is the catalog's to say.
 */
export async function* differingRows(
  was: Session,
  is: Session,
  table: string,
  writers: Writers,
  { recorded, ours = [] }: Known = {},
): AsyncGenerator<RowDifference> {
  const [before, after] = [await tableShape(was, table), await tableShape(is, table)];
  if (!before || !after) return;
  const short =
    recorded && ours.length === 0 && sameColumns(before, after)
      ? await newerRows([was, is], after, recorded, writers)
      : null;
  if (short) return yield* short;
  const both = new Set(before.columns.map(({ name }) => name));
  const columns = after.columns.filter(({ name }) => both.has(name));
  // By the key that both have; without one a row is named by all of it.
  const key = after.key.every(({ name }) => both.has(name)) ? after.key : [];
  const [old, now] = [
    { ...before, columns, key },
    { ...after, columns, key },
  ];
  const buckets = await differingBuckets(was, is, old, now);
  if (buckets.length === 0) return;
  const held = ours.filter((name) => both.has(name));
  yield* merged(
    rowsOf(was, old, { buckets, writer: "'nobody'", ours: held }),
    rowsOf(is, now, { buckets, writer: writers.writer, ours: held }),
    { table, remover: writers.remover },
  );
}

const sameColumns = (one: TableShape, other: TableShape): boolean =>
  [one, other]
    .map(({ columns, key }) => JSON.stringify([columns, key]))
    .every((text, _, [first]) => text === first);

/** Bucket → rows and hash of what is in it. */
async function differingBuckets(
  was: Session,
  is: Session,
  old: TableShape,
  now: TableShape,
): Promise<readonly number[]> {
  const sums = async (session: Session, shape: TableShape) => {
    const rows = await session.query<{ bucket: number; sum: string }>(
      `select ${bucketOf(shape)} as bucket, count(*) || ' ' || sum(${rowHash(rowText(shape))}) as sum
        from only ${shape.quoted} t group by 1`,
    );
    return new Map(rows.map(({ bucket, sum }) => [bucket, sum]));
  };
  const [before, after] = [await sums(was, old), await sums(is, now)];
  return Array.from({ length: BUCKETS }, (_, at) => at).filter((at) => before.get(at) !== after.get(at));
}

const rowText = ({ columns }: TableShape): string =>
  columns.length === 0
    ? "''::text"
    : `row(${columns.map(({ name }) => `t.${quoteName(name)}`).join(', ')})::text`;
const nameOf = (shape: TableShape): string => (shape.key.length === 0 ? rowText(shape) : keyText(shape));
const bucketOf = (shape: TableShape): string =>
  `(hashtextextended(${nameOf(shape)}, 7) & ${BUCKETS - 1})::int`;

interface Reading {
  readonly buckets: readonly number[];
  readonly writer: string;
  readonly ours: readonly string[];
}

/** In the order of their keys, page by page; a key that occurs several times, as often. */
async function* rowsOf(
  session: Session,
  shape: TableShape,
  { buckets, writer, ours }: Reading,
): AsyncGenerator<Row> {
  const cursor = quoteName('soakgate rows');
  const held = ours.map((name) => `t.${quoteName(name)}`).join(', ');
  await session.query(
    `declare ${cursor} no scroll cursor with hold for
      select ${nameOf(shape)} as key, md5(${rowImage(shape)}::text) as md5,
        ${ours.length > 0 ? `md5(row(${held})::text)` : 'null'} as ours, ${writer} as by from only ${shape.quoted} t
      where ${bucketOf(shape)} = any (${quoteText(`{${buckets.join(',')}}`)}::int[])
      order by ${nameOf(shape)} collate "C", 2`,
  );
  try {
    for (;;) {
      const rows = await session.query<Row>(`fetch ${PAGE} from ${cursor}`);
      if (rows.length === 0) return;
      yield* rows;
    }
  } finally {
    await session.query(`close ${cursor}`).catch(() => undefined);
  }
}

async function* merged(
  was: AsyncGenerator<Row>,
  is: AsyncGenerator<Row>,
  { table, remover }: { readonly table: string; readonly remover: Writer },
): AsyncGenerator<RowDifference> {
  const next = async (rows: AsyncGenerator<Row>) => (await rows.next()).value as Row | undefined;
  let [before, after] = [await next(was), await next(is)];
  while (before || after) {
    const order = !before ? 1 : !after ? -1 : compareBytes(before.key, after.key);
    if (order < 0) {
      yield { table, key: before!.key, how: 'removed', nowMd5: null, by: remover };
      before = await next(was);
    } else if (order > 0) {
      yield { table, key: after!.key, how: 'added', nowMd5: after!.md5, by: after!.by };
      after = await next(is);
    } else {
      if (before!.md5 !== after!.md5) {
        const by = after!.by === 'other' && before!.ours !== after!.ours ? 'both' : after!.by;
        yield { table, key: after!.key, how: 'changed', nowMd5: after!.md5, by };
      }
      [before, after] = [await next(was), await next(is)];
    }
  }
}

/** As collation "C" orders UTF-8. */
const compareBytes = (one: string, other: string): number =>
  one === other ? 0 : Buffer.compare(Buffer.from(one), Buffer.from(other));
