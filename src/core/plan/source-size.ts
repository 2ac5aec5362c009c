// How much a plan may be: size, number of words and nesting, found before anything is built of it.
import { Lexer } from 'yaml';

export const MOST_BYTES = 1_048_576;
/** Levels of lists and maps in each other. */
export const MOST_DEPTH = 64;
/** Tokens of YAML: words, signs, spaces and line ends. A plan of 1,000 lines has about 10,000. */
const MOST_TOKENS = 100_000;
/** Tokens of the lexer that stand for no text. */
const MARKS: ReadonlySet<string> = new Set(['\u0002', '\u0018', '\u001f']);

/** What is too much, and at which offset of the text; undefined where it can be read. */
export interface TooMuch {
  readonly path: readonly [];
  readonly offset: number;
  readonly message: string;
  readonly hint: string;
}

/** Reads nothing but words: linear in the length of the text. */
export function tooMuch(text: string): TooMuch | undefined {
  const refuse = (offset: number, message: string, hint: string): TooMuch => ({
    path: [],
    offset,
    message,
    hint,
  });
  if (text.length > MOST_BYTES || utf8Length(text) > MOST_BYTES)
    return refuse(
      0,
      'the file is larger than 1 MiB',
      'a plan is a few hundred lines; keep data in files of their own',
    );
  let offset = 0;
  let depth = 0;
  let tokens = 0;
  for (const token of new Lexer().lex(text)) {
    tokens += 1;
    if (tokens > MOST_TOKENS)
      return refuse(
        offset,
        `holds more than ${MOST_TOKENS.toLocaleString('en')} words, signs and line ends`,
        'a plan is a few hundred lines; keep data in files of their own',
      );
    if (token === '[' || token === '{') depth += 1;
    if (token === ']' || token === '}') depth -= 1;
    if (depth > MOST_DEPTH)
      return refuse(offset, `is nested deeper than ${MOST_DEPTH} levels`, 'a plan needs six or seven');
    if (!MARKS.has(token)) offset += token.length;
  }
  return undefined;
}

function utf8Length(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}
