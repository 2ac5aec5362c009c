// The short way to the rows that differ: only what was written since the backup can, so only those rows are read. That
// the others are the same is shown by a sum: the hash of a table is the sum of its rows', so what is left without the
// newer rows must be equal on both sides. Where it is not (rows are gone), nothing is said here, and the whole table is
// compared.
import { quoteText, type Session } from '../../src/io/postgres.ts';
import { rowHash } from '../../src/io/snapshot.ts';
import type { Snapshot } from '../../src/core/snapshot.ts';
import { keyText, rowImage, type TableShape } from '../data/table-shape.ts';
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
  const hashed = `select ${keyText(shape)} as key, ${rowHash('(t.*)::text')}::text as hash`;
  const now = await is.query<Row>(`${hashed} ${newer}`);
  const before = await was.query<Row>(
    `${hashed} from unnest($1::text[]) w (key) join only ${shape.quoted} t on ${byText(shape)} = w.key collate "C"`,
    [now.map(({ key }) => key)],
  );
  const old = new Map(before.map(({ key, hash }) => [key, hash]));
  const twice = old.size < before.length || new Set(now.map(({ key }) => key)).size < now.length;
  if (twice || rest(recorded.was, before) !== rest(recorded.is, now)) return null;
  const differing = now.filter(({ key, hash }) => old.get(key) !== hash).map(({ key }) => key);
  const rows = await is.query<Pick<RowDifference, 'key' | 'by'> & { readonly md5: string }>(
    `select ${keyText(shape)} as key, md5(${rowImage(shape)}::text) as md5, ${writer} as by
      from unnest($1::text[]) w (key) join only ${shape.quoted} t on ${byText(shape)} = w.key collate "C" order by ${keyText(shape)} collate "C"`,
    [differing],
  );
  // Somebody wrote meanwhile.
  if (rows.length !== differing.length) return null;
  return rows.map(({ key, md5, by }) => {
    const how = old.has(key) ? 'changed' : 'added';
    return { table: shape.name, key, how, nowMd5: md5, by };
  });
}

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
