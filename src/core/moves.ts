// Rows that a migration itself moves, changes or drops: legitimate where the plan declares the table, found
// by the rehearsal where it does not.
import { count } from './count.ts';
import { isAmong, type Snapshot } from './snapshot.ts';

export interface Move {
  readonly table: string;
  /** For people: `735 → 435 rows`, `rows changed`, `gone with 12 rows`. */
  readonly what: string;
}

/**
 * Tables whose rows are not what they were, from two snapshots. A table that has gained or lost a column is
 * judged by its number of
 * rows only: its hash must differ.
 */
export function rowMoves(before: Snapshot, after: Snapshot, except: readonly string[]): readonly Move[] {
  return Object.entries(before.content).flatMap(([table, was]): readonly Move[] => {
    const is = after.content[table];
    if (isAmong(table, except)) return [];
    if (!is) return was.rows > 0 ? [{ table, what: `dropped with ${count(was.rows, 'row')}` }] : [];
    if (is.rows !== was.rows) return [{ table, what: `${was.rows} → ${count(is.rows, 'row')}` }];
    return is.hash !== was.hash && sameColumns(table, before, after) ? [{ table, what: 'rows changed' }] : [];
  });
}

function sameColumns(table: string, before: Snapshot, after: Snapshot): boolean {
  const columns = ({ catalog }: Snapshot) =>
    Object.entries(catalog)
      .filter(([object]) => object.startsWith(`column ${table}.`))
      .map(([object, definition]) => `${object} ${definition}`)
      .sort()
      .join('\n');
  return columns(before) === columns(after);
}

/** A line for each move that the plan does not declare, with the words that would declare it. */
export function undeclared(moves: readonly Move[], declared: readonly string[]): readonly string[] {
  const named = (table: string) =>
    declared.includes(table) || declared.includes(table.replace(/^public\./u, ''));
  return moves
    .filter(({ table }) => !named(table))
    .map(
      ({ table, what }) =>
        `the migration changes rows of ${table}: ${what}; if this is intended, declare it: preview: ` +
        `{ moves: [${table}] }`,
    );
}
