// RFC 8785 canonical JSON: what every hash and every signature of ours covers.
import type { Json } from './plan/plan.ts';

/**
 * The canonical text of a JSON value (RFC 8785): keys sorted by UTF-16 code units, no white space,
 * numbers as ECMAScript prints them. Members that are `undefined` are left out.
 * @throws TypeError for what JSON cannot hold (NaN, Infinity, functions, bigint), and for half a character (a
 * lone surrogate).
 */
export function canonical(value: unknown): string {
  if (value === null || typeof value === 'boolean') return JSON.stringify(value);
  if (typeof value === 'string') return textOf(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`canonical JSON has no ${value}`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value))
    return `[${value.map((item) => canonical(item === undefined ? null : item)).join(',')}]`;
  if (typeof value !== 'object') throw new TypeError(`canonical JSON has no ${typeof value}`);
  const members = Object.entries(value as Record<string, unknown>)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, member]) => `${textOf(key)}:${canonical(member)}`);
  return `{${members.join(',')}}`;
}

function textOf(text: string): string {
  if (!text.isWellFormed()) throw new TypeError('canonical JSON has no lone surrogate');
  return JSON.stringify(text);
}

/** Whether two JSON values have the same canonical text. */
export function sameJson(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

export type { Json };
