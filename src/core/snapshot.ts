// What a database is, as data that can be compared: its catalog, its content, its sequences.
import { count } from './count.ts';
import { normalise } from './definition.ts';
import { COLUMNS_OF } from './schema-dump.ts';

export interface Snapshot {
  /** Object (`index public.orders_pkey`) → what pg_dump, or for what it leaves out the catalog, says of it. */
  readonly catalog: Readonly<Record<string, string>>;
  /** `schema.table` → rows and an order-independent hash of them. */
  readonly content: Readonly<Record<string, { readonly rows: number; readonly hash: string }>>;
  /** `schema.sequence` → last value; may be ahead after a rollback. */
  readonly sequences: Readonly<Record<string, string>>;
  /** What a table was made of; not compared. */
  readonly tables?: Readonly<Record<string, TableMark>>;
}

export interface TableMark {
  /** Columns it has ever had, dropped ones too: a later column has a higher number. */
  readonly columns: number;
  /** PostgreSQL's number of its file: TRUNCATE and whatever rewrites the table give it another one. */
  readonly file: string;
}

export interface Difference {
  readonly what: 'catalog' | 'content' | 'sequence';
  readonly object: string;
  readonly was: string | null;
  readonly is: string | null;
}

/** What lies around a database or is in no dump of it, so that no copy made of the dump has it. */
const NOT_IN_COPIES = /^(?:database |version of extension |subscription |order of columns of )/u;

/** The part of a snapshot that a copy made of its dump must have, too. */
export function asCopied(snapshot: Snapshot): Snapshot {
  const kept = Object.entries(snapshot.catalog).filter(([object]) => !NOT_IN_COPIES.test(object));
  return { ...snapshot, catalog: Object.fromEntries(kept) };
}

/** The part that a copy must have, made as the plan says: `owners: false` leaves out owners and privileges. */
export const asCopiedBy =
  ({ owners }: { readonly owners?: false }) =>
  (snapshot: Snapshot): Snapshot =>
    owners === false ? withoutOwners(asCopied(snapshot)) : asCopied(snapshot);

/** Lines and objects that say whose something is, and who else may use it. */
const OWNER_LINE = /^ALTER [A-Z ]+ .* OWNER TO .*$\n?/gmu;
const GRANTS = /^(?:grants on |default privileges |acl )/u;
const ONLY_REMARKS = /^(?:\s*--.*\n?)+$/u;

/** A snapshot without owners and privileges, for a copy that was made without them. */
export function withoutOwners(snapshot: Snapshot): Snapshot {
  const catalog = Object.fromEntries(
    Object.entries(snapshot.catalog)
      .filter(([object]) => !GRANTS.test(object))
      .map(([object, text]) => [object, text.replace(OWNER_LINE, '').trim().replace(/;$/u, '')] as const)
      // An entry of which only a remark is left was made for its owner alone: schema public of an older cluster.
      .filter(([, text]) => !ONLY_REMARKS.test(text)),
  );
  return { ...snapshot, catalog };
}

/** A line for each object that a copy made of the dump has otherwise or not at all, though it is no fault. */
export function notCopied(was: Snapshot, copy: Snapshot): readonly string[] {
  return Object.entries(was.catalog).flatMap(([object, definition]): readonly string[] => {
    const there = copy.catalog[object];
    if (object.startsWith('subscription '))
      return [
        `not compared: ${object}; the copy is made without subscriptions, which would begin to replicate`,
      ];
    if (object.startsWith('order of columns of ') && there !== undefined && there !== definition)
      return [
        `not compared: the ${object}, which inherits (${definition}); pg_dump does not keep it, the copy has ` +
          `${there}, and rows were compared column by column, by name`,
      ];
    return object.startsWith('version of extension ') && there !== undefined && there !== definition
      ? [`not compared: ${object} is ${definition}, a restore makes it ${there}; no dump holds versions`]
      : [];
  });
}

/** Whether `schema.table` is listed, with its schema or without. */
export const isAmong = (table: string, names: readonly string[]): boolean =>
  names.includes(table) || names.includes(table.slice(table.indexOf('.') + 1));

/** Everything in which the second state differs from the first; sequences only when they rolled back. */
export function compareSnapshots(
  was: Snapshot,
  is: Snapshot,
  except: readonly string[] = [],
): readonly Difference[] {
  const rows = (entry: { rows: number; hash: string } | undefined) =>
    entry ? `${count(entry.rows, 'row')}, ${entry.hash.slice(0, 16)}` : undefined;
  return [
    ...compareMaps('catalog', was.catalog, is.catalog, normalise).filter(
      (difference) => !isSaidByColumns(difference),
    ),
    ...compareMaps(
      'content',
      mapValues(was.content, rows),
      mapValues(is.content, rows),
      (text) => text,
    ).filter((entry) => !isAmong(entry.object, except)),
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

/** Another list of columns is named column by column; only another order of the same is a difference of its own. */
function isSaidByColumns({ object, was, is }: Difference): boolean {
  if (!object.startsWith(COLUMNS_OF)) return false;
  const names = (list: string | null) => list?.split(', ').toSorted().join(', ');
  return names(was) !== names(is);
}

/** A sentence for one difference. */
export function describeDifference({ object, was, is, what }: Difference): string {
  if (was === null) return `${object} was left behind: ${inOneLine(is ?? '')}`;
  if (is === null) return `${object} is missing: it was ${inOneLine(was)}`;
  if (what === 'sequence') return `${object} rolled back from ${was} to ${is}`;
  const [before, after] = [linesOnlyIn(was, is), linesOnlyIn(is, was)];
  return `${object} differs: was ${inOneLine(before)}, is ${inOneLine(after)}`;
}

const WORDS = 500;
const inOneLine = (text: string): string => {
  const line = text.replace(/\s+/gu, ' ').trim();
  return line.length > WORDS ? `${line.slice(0, WORDS)}…` : line === '' ? 'nothing' : line;
};

/** The lines of an object's text that the other text does not have; all of it where that is no line. */
function linesOnlyIn(text: string, other: string): string {
  const others = new Set(other.split('\n'));
  const own = text.split('\n').filter((line) => !others.has(line));
  return own.length === 0 && !text.includes('\n') ? text : own.join('\n');
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
