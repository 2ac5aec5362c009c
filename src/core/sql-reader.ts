// Reads along the tokens of one statement: words, names, brackets. What is not there is answered with
// undefined, never thrown.
import { isMark, type Token } from './sql-tokens.ts';

/** A name as SQL writes it, and as two spellings of it are the same. */
export interface Name {
  readonly sql: string;
  readonly key: string;
  /** The last part alone: as it is written, and without quotes. */
  readonly last: string;
  readonly plain: string;
  readonly qualified: boolean;
}

export interface Group {
  /** With its brackets. */
  readonly sql: string;
  readonly inside: readonly Token[];
}

export interface Reader {
  /** Reads these words, or nothing. */
  words(...words: readonly string[]): boolean;
  name(): Name | undefined;
  group(): Group | undefined;
  /** Steps over one token, or over a whole group. */
  skip(): void;
  /** The words still to come that stand in no brackets, each followed by a blank. */
  restWords(): string;
  rest(): readonly Token[];
  sql(tokens: readonly Token[]): string;
}

/** Opens the tokens of a statement of `text`. */
export function read(text: string, tokens: readonly Token[]): Reader {
  let at = 0;
  const sql = (some: readonly Token[]) => text.slice(some[0]?.start ?? 0, some.at(-1)?.end ?? 0);
  const name = (): Name | undefined => {
    const end = endOfName(tokens, at);
    if (end === at) return undefined;
    const parts = tokens.slice(at, end).filter((token) => !isMark(token, '.'));
    at = end;
    const last = parts.at(-1)!;
    const plain = parts.map((part) => part.value);
    const key = JSON.stringify(plain[0] === 'public' && plain.length === 2 ? plain.slice(1) : plain);
    const written = parts.map((part) => sql([part])).join('.');
    return { sql: written, key, last: sql([last]), plain: last.value, qualified: parts.length > 1 };
  };
  const group = (): Group | undefined => {
    const end = endOfGroup(tokens, at);
    if (end === undefined) return undefined;
    const all = tokens.slice(at, end);
    at = end;
    return { sql: sql(all), inside: all.slice(1, -1) };
  };
  return {
    name,
    group,
    sql,
    words: (...words) => {
      const there = words.every(
        (word, place) => tokens[at + place]?.kind === 'word' && tokens[at + place]?.value === word,
      );
      if (there) at += words.length;
      return there;
    },
    skip: () => void (group() ?? (at += 1)),
    restWords: () => `${outside(tokens.slice(at)).join(' ')} `,
    rest: () => tokens.slice(at),
  };
}

/** The parts between the commas that stand in no brackets. */
export function parts(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const found: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (isMark(token, '(') || isMark(token, '[')) depth += 1;
    if (isMark(token, ')') || isMark(token, ']')) depth -= 1;
    if (depth === 0 && isMark(token, ',')) found.push([]);
    else found.at(-1)!.push(token);
  }
  return found;
}

function endOfName(tokens: readonly Token[], start: number): number {
  const isPart = (token: Token | undefined) => token?.kind === 'word' || token?.kind === 'name';
  if (!isPart(tokens[start])) return start;
  let end = start + 1;
  while (isMark(tokens[end], '.') && isPart(tokens[end + 1])) end += 2;
  return end;
}

/** A group with `;` in it is one whose bracket was never closed. */
function endOfGroup(tokens: readonly Token[], start: number): number | undefined {
  if (!isMark(tokens[start], '(')) return undefined;
  let depth = 0;
  for (let at = start; at < tokens.length; at += 1) {
    const token = tokens[at];
    if (isMark(token, ';') || token?.kind === 'broken') return undefined;
    if (isMark(token, '(')) depth += 1;
    if (isMark(token, ')')) depth -= 1;
    if (depth === 0) return at + 1;
  }
  return undefined;
}

function outside(tokens: readonly Token[]): readonly string[] {
  let depth = 0;
  return tokens.flatMap((token) => {
    if (isMark(token, ')')) depth -= 1;
    const seen = depth === 0 && token.kind === 'word' ? [token.value] : [];
    if (isMark(token, '(')) depth += 1;
    return seen;
  });
}
