// Plain tables: columns as wide as their widest cell, the last one free; colour is added after the width is
// known.
import type { Paint, Tone } from '../terminal.ts';

export type Cell = string | { readonly text: string; readonly tone: Tone };

const textOf = (cell: Cell): string => (typeof cell === 'string' ? cell : cell.text);

/** One line a row. With `columns` the lines are cut to that width. */
export function table(
  rows: readonly (readonly Cell[])[],
  paint: Paint,
  columns = Number.POSITIVE_INFINITY,
): readonly string[] {
  const widths = rows.reduce<number[]>(
    (all, row) => row.map((cell, at) => Math.max(all[at] ?? 0, textOf(cell).length)),
    [],
  );
  return rows.map((row) => {
    let room = columns;
    const cells = row.map((cell, at) => {
      const text = textOf(cell);
      const padded = cut(at === row.length - 1 ? text : text.padEnd(widths[at]!), Math.max(room, 0));
      room -= padded.length + GAP.length;
      return typeof cell === 'string' ? padded : paint(cell.tone, padded);
    });
    return cells.join(GAP).trimEnd();
  });
}

const GAP = '  ';

/** Cuts a text, with a mark where it was cut. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  return length > 0 ? `${text.slice(0, length - 1)}…` : '';
}
