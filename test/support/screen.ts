// What stands on a terminal's screen, and above it, after a program has written there: enough of a terminal
// for what ours writes.
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

interface Cursor {
  row: number;
  column: number;
}

// oxlint-disable-next-line no-control-regex -- a terminal's control sequences begin with escape
const TOKEN = /\u001b\[(?<number>[\d;]*)(?<code>[A-Za-z])|[\s\S]/gu;

/**
 * All lines from the first one, also those that have scrolled away. @throws Error on a sequence that it does
 * not know.
 */
export function screenAfter(written: string, { columns, rows }: Size): readonly string[] {
  const lines: string[][] = [[]];
  const at: Cursor = { row: 0, column: 0 };
  const down = () => {
    at.row += 1;
    if (at.row === lines.length) lines.push([]);
  };
  for (const { 0: token, groups } of written.matchAll(TOKEN)) {
    if (groups?.['code']) control(groups['code'], groups['number'] ?? '', lines, at, rows);
    else if (token === '\r') at.column = 0;
    else if (token === '\n') down();
    else if (token >= ' ') {
      if (at.column === columns) {
        at.column = 0;
        down();
      }
      const line = lines[at.row]!;
      while (line.length < at.column) line.push(' ');
      line[at.column] = token;
      at.column += 1;
    }
  }
  return lines.map((line) => line.join('').trimEnd());
}

function control(code: string, text: string, lines: string[][], at: Cursor, rows: number): void {
  const number = Number(text.split(';')[0] || 1);
  if (code === 'm') return;
  // Nothing moves up into what has scrolled away.
  if (code === 'A') at.row = Math.max(at.row - number, lines.length - rows, 0);
  else if (code === 'C') at.column += number;
  else if (code === 'D') at.column = Math.max(at.column - number, 0);
  else if (code === 'G') at.column = number - 1;
  else if (code === 'K') lines[at.row]!.splice(at.column);
  else if (code === 'J') {
    lines[at.row]!.splice(at.column);
    lines.splice(at.row + 1);
  } else throw new Error(`a control sequence that this screen does not know: ${text}${code}`);
}
