// The short way to the rows that differ: only what was written since the backup can, so only those rows are read. That
// the others are the same is shown by a sum: the hash of a table is the sum of its rows', so what is left without the
// newer rows must be equal on both sides. Where it is not (rows are gone), nothing is said here, and the whole table is
// compared.
import { quoteName, quoteText, type Session } from '../../src/io/postgres.ts';
import { rowHash } from '../../src/io/snapshot.ts';
import type { Snapshot } from '../../src/core/snapshot.ts';
import { keyIsAmong, keyText, rowImage, type TableShape } from '../data/table-shape.ts';
import type { RowDifference, Writers } from './row-writers.ts';

type Content = Snapshot['content'][string];

/** The table as it was recorded and as it is, hashed whole. */
export interface Recorded {
  readonly was: Content;
  readonly is: Content;
  /** The transactions that the backup has seen. */
  readonly seen: string;
}

/** More rows than these are compared the long way, so that memory stays bounded. */
const MOST = 100_000;

interface Row {
  readonly key: string;
  readonly hash: string;
  /** Text of each column of the key. */
  readonly [column: `k${number}`]: string;
}

/** In the order of their keys; null where the short way does not tell. */
export async function newerRows(
  [was, is]: readonly [Session, Session],
  shape: TableShape,
  recorded: Recorded,
  { writer }: Writers,
): Promise<readonly RowDifference[] | null> {
  if (shape.key.length === 0) return null;
  const newer = `from only ${shape.quoted} t where ${isNewer(recorded.seen)}`;
  const [many] = await is.query(`select ${newer} offset ${MOST} limit 1`);
  if (many) return null;
  const parts = shape.key.map(({ name }, at) => `t.${quoteName(name)}::text as k${at}`).join(', ');
  const hashed = `select ${keyText(shape)} as key, ${rowHash('(t.*)::text')}::text as hash, ${parts}`;
  const now = await is.query<Row>(`${hashed} ${newer}`);
  const before = await was.query<Row>(`${hashed} ${named(shape)}`, keysOf(shape, now));
  const old = new Map(before.map(({ key, hash }) => [key, hash]));
  const twice = old.size < before.length || new Set(now.map(({ key }) => key)).size < now.length;
  if (twice || rest(recorded.was, before) !== rest(recorded.is, now)) return null;
  const differing = now.filter(({ key, hash }) => old.get(key) !== hash);
  const rows = await is.query<Pick<RowDifference, 'key' | 'by'> & { readonly md5: string }>(
    `select ${keyText(shape)} as key, md5(${rowImage(shape)}::text) as md5, ${writer} as by
      ${named(shape)} order by ${byText(shape)}`,
    keysOf(shape, differing),
  );
  // Somebody wrote meanwhile.
  if (rows.length !== differing.length) return null;
  return rows.map(({ key, md5, by }) => {
    const how = old.has(key) ? 'changed' : 'added';
    return { table: shape.name, key, how, nowMd5: md5, by };
  });
}

/** Rows whose key is among $1, found by its columns, which are $2 and so on. */
const named = (shape: TableShape): string =>
  `from unnest($1::text[]) w (key) join only ${shape.quoted} t on ${byText(shape)} = w.key collate "C"
    where ${keyIsAmong(
      shape,
      shape.key.map((_, at) => `$${at + 2}::text[]`),
    )}`;
const keysOf = ({ key }: TableShape, rows: readonly Row[]): readonly (readonly string[])[] => [
  rows.map((row) => row.key),
  ...key.map((_, at) => rows.map((row) => row[`k${at}`]!)),
];

/** By the bytes of the text: a collation of the key may call two of them the same. */
const byText = (shape: TableShape): string => `${keyText(shape)} collate "C"`;

/**
 * A condition, cheap for each row: written by a transaction that the snapshot may not hold. A row too many here is no
 * fault; the writer is asked then.
 */
export const isNewer = (seen: string): string =>
  `age(t.xmin) <= (select age((pg_snapshot_xmin(${quoteText(seen)}::pg_snapshot)::text::bigint & 4294967295)::text::xid))`;

/** What is left of a table's rows and of their sum without these rows. */
function rest({ rows, hash }: Content, without: readonly Row[]): string {
  const sum = without.reduce((left, row) => left - BigInt(row.hash), BigInt(`0x${hash}`));
  return `${rows - without.length} ${BigInt.asUintN(64, sum)}`;
}
