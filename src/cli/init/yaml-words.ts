// Words of a plan that read the same under YAML 1.1 and 1.2, and comments in a column of their own.
import { plainRemark } from '../../core/plan/source-words.ts';

const PLAIN = /^-{0,2}[A-Za-z_./][\w./@+-]*$/u;
const COLUMN = 32;

/** A word without quotes where nobody can misread it, else in quotes. */
export function word(text: string): string {
  const plain = PLAIN.test(text) && !/^(?:true|false|null)$/iu.test(text) && plainRemark(text) === undefined;
  return plain ? text : JSON.stringify(text);
}

/** Several words. */
export const phrase = (text: string): string =>
  /^[A-Z][\w ./@+-]*$/u.test(text) ? text : JSON.stringify(text);

/** `[python, manage.py, check]` */
export const list = (words: readonly string[]): string => `[${words.map(word).join(', ')}]`;

/** A line and what is said about it. */
export const commented = (line: string, comment: string): string =>
  comment === '' ? line : `${line.padEnd(COLUMN)} # ${comment}`;
