// SQL text as statements of tokens: enough to tell what is written where, never what it means.

export interface Token {
  /** `meta`: a command of psql, or a comment that says what the text cannot; `broken`: it never ends. */
  readonly kind: 'word' | 'name' | 'text' | 'mark' | 'meta' | 'broken';
  /** A word in lower case, a name without its quotes, anything else as it is written. */
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

interface Found extends Omit<Token, 'kind'> {
  readonly kind: Token['kind'] | 'nothing';
}

const patterns: readonly (readonly [Found['kind'], RegExp])[] = [
  ['nothing', /[ \t\r\n\f\v]+/uy],
  ['meta', /--[^\r\n]*cannot be written as sql[^\r\n]*/iuy],
  ['nothing', /--[^\r\n]*/uy],
  ['meta', /\\[^\r\n]*/uy],
  ['text', /e'[^'\\]*(?:(?:\\.|'')[^'\\]*)*'/isuy],
  ['text', /(?:[bnx]|u&)?'[^']*(?:''[^']*)*'/iuy],
  ['text', /\$((?:[A-Za-z_\u{80}-\u{10ffff}][\w\u{80}-\u{10ffff}]*)?)\$.*?\$\1\$/suy],
  ['name', /(?:u&)?"[^"]*(?:""[^"]*)*"/iuy],
  ['word', /[A-Za-z_\u{80}-\u{10ffff}][\w$\u{80}-\u{10ffff}]*/uy],
  ['broken', /(?:'|"|\/\*|\$(?:[A-Za-z_\u{80}-\u{10ffff}][\w\u{80}-\u{10ffff}]*)?\$).*/suy],
  ['mark', /\d+|./suy],
];

/** Whether a token is this bracket, comma or full stop, and not a name that is written the same. */
export const isMark = (token: Pick<Found, 'kind' | 'value'> | undefined, value: string): boolean =>
  token?.kind === 'mark' && token.value === value;

/** The statements of a text; comments are left out, and `;` parts only outside brackets, as in psql. */
export function statementsOf(text: string): readonly (readonly Token[])[] {
  const statements: Token[][] = [];
  let current: Token[] = [];
  let depth = 0;
  const close = () => {
    if (current.length > 0) statements.push(current);
    current = [];
    depth = 0;
  };
  for (let at = 0; at < text.length;) {
    const token = tokenAt(text, at);
    at = token.end;
    if (token.kind === 'nothing') continue;
    if (token.kind === 'meta') {
      if (token.value.startsWith('\\')) close();
      statements.push([token as Token]);
      continue;
    }
    if (isMark(token, '(')) depth += 1;
    if (isMark(token, ')')) depth = Math.max(0, depth - 1);
    if (!isMark(token, ';') || depth > 0) current.push(token as Token);
    else {
      at = afterCopiedRows(text, at, current);
      close();
    }
  }
  close();
  return statements;
}

function tokenAt(text: string, at: number): Found {
  const comment = text.startsWith('/*', at) ? endOfComment(text, at) : undefined;
  if (comment !== undefined) return { kind: 'nothing', value: '', start: at, end: comment };
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = at;
    const value = pattern.exec(text)?.[0];
    if (value !== undefined) return { kind, value: valueOf(kind, value), start: at, end: at + value.length };
  }
  return { kind: 'mark', value: text.charAt(at), start: at, end: at + 1 };
}

function valueOf(kind: Found['kind'], value: string): string {
  if (kind === 'word') return value.toLowerCase();
  return kind === 'name' && value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value;
}

/** Comments nest in PostgreSQL. */
function endOfComment(text: string, start: number): number | undefined {
  const edge = /\/\*|\*\//gu;
  edge.lastIndex = start;
  let depth = 0;
  for (let found = edge.exec(text); found; found = edge.exec(text)) {
    depth += found[0] === '/*' ? 1 : -1;
    if (depth === 0) return edge.lastIndex;
  }
  return undefined;
}

/** After `copy … from stdin;` stand rows, up to a line `\.`, that are no SQL. */
function afterCopiedRows(text: string, at: number, statement: readonly Token[]): number {
  const words = statement.map((token) => token.value);
  if (words[0] !== 'copy' || !words.includes('stdin')) return at;
  const end = /^\\\.\s*$/mu.exec(text.slice(at));
  return end ? at + end.index + end[0].length : text.length;
}
