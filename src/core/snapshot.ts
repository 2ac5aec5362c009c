// What a database is, as data that can be compared: its catalog, its content, its sequences.
import { count } from './count.ts';
import { normalise } from './definition.ts';

export interface Snapshot {
  /** Object identity (`index public.orders_pkey`) → definition. */
  readonly catalog: Readonly<Record<string, string>>;
  /** `schema.table` → rows and an order-independent hash of them. */
  readonly content: Readonly<Record<string, { readonly rows: number; readonly hash: string }>>;
  /** `schema.sequence` → last value; may be ahead after a rollback. */
  readonly sequences: Readonly<Record<string, string>>;
}

export interface Difference {
  readonly what: 'catalog' | 'content' | 'sequence';
  readonly object: string;
  readonly was: string | null;
  readonly is: string | null;
}

/** Everything in which the second state differs from the first; sequences only when they rolled back. */
export function compareSnapshots(
  was: Snapshot,
  is: Snapshot,
  except: readonly string[] = [],
): readonly Difference[] {
  const skip = new Set(except);
  const rows = (entry: { rows: number; hash: string } | undefined) =>
    entry ? `${count(entry.rows, 'row')}, ${entry.hash.slice(0, 16)}` : undefined;
  return [
    ...compareMaps('catalog', was.catalog, is.catalog, normalise),
    ...compareMaps(
      'content',
      mapValues(was.content, rows),
      mapValues(is.content, rows),
      (text) => text,
    ).filter((entry) => !skip.has(entry.object)),
    ...Object.keys(was.sequences)
      .filter(
        (name) =>
          is.sequences[name] !== undefined && BigInt(is.sequences[name]) < BigInt(was.sequences[name] ?? '0'),
      )
      .map((name): Difference => ({
        what: 'sequence',
        object: name,
        was: was.sequences[name] ?? null,
        is: is.sequences[name] ?? null,
      })),
  ];
}

/** A sentence for one difference. */
export function describeDifference({ object, was, is, what }: Difference): string {
  if (was === null) return `${object} was left behind: ${is}`;
  if (is === null) return `${object} is missing: it was ${was}`;
  return what === 'sequence'
    ? `${object} rolled back from ${was} to ${is}`
    : `${object} differs: was ${was}, is ${is}`;
}

function compareMaps(
  what: Difference['what'],
  was: Readonly<Record<string, string | undefined>>,
  is: Readonly<Record<string, string | undefined>>,
  same: (text: string) => string,
): Difference[] {
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].sort();
  return names.flatMap((object) => {
    const [before, after] = [was[object] ?? null, is[object] ?? null];
    if (before !== null && after !== null && same(before) === same(after)) return [];
    return [{ what, object, was: before, is: after }];
  });
}

function mapValues<T>(
  record: Readonly<Record<string, T>>,
  change: (value: T) => string | undefined,
): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
