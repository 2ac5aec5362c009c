// Single values on their way into the trusted plan.
import { type LimitPlace, parseLimit } from './limit.ts';
import type { Limit } from './values.ts';
import { parseDuration } from './units.ts';

/** Milliseconds of words that the schema has accepted. */
export const ms = (words: string): number => parseDuration(words.replace(/^at most /u, '')) ?? 0;

/** A threshold that the schema has accepted. */
export function limit(words: string, place: LimitPlace): Limit {
  const result = parseLimit(words, place);
  if ('limit' in result) return result.limit;
  throw new RangeError(`${words}: ${result.message}`);
}

/** The same object without members that are undefined. */
export function without<T extends object>(value: { readonly [Key in keyof T]: T[Key] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}

/** One or several, as a list. */
export const listed = (value: string | readonly string[]): readonly string[] =>
  typeof value === 'string' ? [value] : value;
