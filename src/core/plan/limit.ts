// The grammar of thresholds: word + number + unit + `per day` | `in a row` | `of baseline` | `of database` +
// `for 10m`.
// What the number may be depends on where the threshold stands; errors say what was expected there, with an
// example.
import type { Limit, Unit } from './values.ts';
import {
  DURATION_PATTERN,
  exact,
  NUMBER_PATTERN,
  parseDuration,
  parseNumber,
  parsePercent,
  parseSize,
  PERCENT_PATTERN,
  SIZE_PATTERN,
} from './units.ts';

const WORDS = ['at least', 'at most', 'above', 'below', 'exactly'] as const;
const QUALIFIERS = ['per day', 'in a row', 'of baseline', 'of database'] as const;
const AMOUNT = `(?:${DURATION_PATTERN}|${SIZE_PATTERN}|${PERCENT_PATTERN}|${NUMBER_PATTERN})`;
/** Every threshold, wherever it stands: for the published schema. */
export const LIMIT_PATTERN = `^(?:${WORDS.join('|')}) ${AMOUNT}(?: (?:${QUALIFIERS.join('|')}))?(?: for ${DURATION_PATTERN})?$`;
const loose = new RegExp(`^(${WORDS.join('|')}) (\\S+)(?: (${QUALIFIERS.join('|')}))?(?: for (\\S+))?$`, 'u');

/** Where a threshold stands. `reading` knows its unit; the others have one of their own. */
export type LimitPlace = { readonly metric: Unit | undefined } | 'duration' | 'disk' | 'mean' | 'value';
export type LimitResult = { readonly limit: Limit } | { readonly message: string; readonly hint: string };
type Qualifier = (typeof QUALIFIERS)[number];

/**
 * Reads one threshold. The value is in the unit of its place: milliseconds, bytes, a fraction, or the
 * metric's own unit.
 */
export function parseLimit(text: string, place: LimitPlace): LimitResult {
  const match = loose.exec(text);
  if (!match)
    return wrong(
      `"${shorten(text)}" is not a threshold`,
      `${WORDS.join(', ')} + number + unit, ${example(place)}`,
    );
  const [, word, amount, qualifier, forText] = match as unknown as [
    string,
    Limit['word'],
    string,
    Qualifier?,
    string?,
  ];
  const unfit = qualifierComplaint(place, word, qualifier, forText);
  if (unfit) return unfit;
  const value = qualifier?.startsWith('of ') ? parsePercent(amount) : valueOf(amount, place, qualifier);
  if (value === undefined) return wrong(`"${shorten(amount)}" does not fit here`, expected(place, qualifier));
  const forMs = forText === undefined ? undefined : parseDuration(forText);
  if (forText !== undefined && !forMs)
    return wrong(`"for ${shorten(forText)}" is not a duration`, 'write e.g. for 10m');
  return { limit: { word, value, ...flags(qualifier), ...(forMs !== undefined && { forMs }), text } };
}

function flags(qualifier: Qualifier | undefined): Partial<Limit> {
  switch (qualifier) {
    case 'per day':
      return { perDay: true };
    case 'in a row':
      return { inARow: true };
    case 'of baseline':
      return { ofBaseline: true };
    case 'of database':
      return { ofDatabase: true };
    case undefined:
      return {};
  }
}

function qualifierComplaint(
  place: LimitPlace,
  word: Limit['word'],
  qualifier: Qualifier | undefined,
  forText: string | undefined,
): LimitResult | undefined {
  const allowed = qualifiersOf(place);
  if (qualifier && !allowed.includes(qualifier))
    return wrong(`"${qualifier}" does not fit here`, expected(place, undefined));
  if (qualifier === 'in a row' && word === 'exactly')
    return wrong('"exactly" does not go with "in a row"', 'e.g. above 2 in a row');
  if (forText === undefined) return undefined;
  if (typeof place === 'string')
    return wrong('"for" does not fit here: only metrics are judged over a time', example(place));
  if (qualifier === 'per day' || qualifier === 'in a row')
    return wrong(`"for" does not go with "${qualifier}"`, 'leave one of them out');
  return undefined;
}

function qualifiersOf(place: LimitPlace): readonly Qualifier[] {
  if (place === 'disk') return ['of database'];
  if (place === 'mean') return ['of baseline'];
  if (typeof place === 'string') return [];
  return ['per day', 'in a row', 'of baseline'];
}

function valueOf(amount: string, place: LimitPlace, qualifier: Qualifier | undefined): number | undefined {
  if (place === 'duration' || place === 'mean') return parseDuration(amount);
  if (place === 'disk') return parseSize(amount);
  if (place === 'value') return parseNumber(amount);
  if (qualifier === 'in a row') return wholeNumber(amount);
  switch (place.metric) {
    case 'ms':
      return parseDuration(amount);
    case 's':
      return inSeconds(parseDuration(amount));
    case 'count':
      return parseNumber(amount);
    case 'ratio':
      return parsePercent(amount) ?? atMostOne(parseNumber(amount));
    case 'percent':
      return parseNumber(amount.replace(/%$/u, ''));
    case undefined:
      return parseNumber(amount) ?? parsePercent(amount) ?? parseDuration(amount);
  }
}

const wholeNumber = (amount: string): number | undefined =>
  /^[0-9]+$/u.test(amount) ? parseNumber(amount) : undefined;
const atMostOne = (value: number | undefined): number | undefined =>
  value !== undefined && value <= 1 ? value : undefined;
const inSeconds = (ms: number | undefined): number | undefined =>
  ms === undefined ? undefined : exact(ms / 1000);

function expected(place: LimitPlace, qualifier: Qualifier | undefined): string {
  if (qualifier?.startsWith('of '))
    return `a percentage is expected before "${qualifier}", e.g. at most 110% ${qualifier}`;
  if (qualifier === 'in a row') return 'a whole number is expected, e.g. above 2 in a row';
  if (place === 'duration' || place === 'mean') return `a duration is expected, ${example(place)}`;
  if (place === 'disk') return `a size or a share of the database is expected, ${example(place)}`;
  if (place === 'value') return `a plain number is expected, ${example(place)}`;
  switch (place.metric) {
    case 'ms':
    case 's':
      return `unit ${place.metric} expects a duration, ${example(place)}`;
    case 'count':
      return `unit count expects a plain number, ${example(place)}`;
    case 'ratio':
    case 'percent':
      return `unit ${place.metric} expects a percentage, ${example(place)}`;
    case undefined:
      return `a number, a percentage or a duration is expected, ${example(place)}`;
  }
}

function example(place: LimitPlace): string {
  if (place === 'duration') return 'e.g. at most 5m';
  if (place === 'disk') return 'e.g. at least 300% of database, or at least 20GB';
  if (place === 'mean') return 'e.g. at most 110% of baseline, or at most 300ms';
  if (place === 'value') return 'e.g. exactly 0';
  switch (place.metric) {
    case 'ms':
    case 's':
      return 'e.g. above 500ms';
    case 'count':
      return 'e.g. exactly 0 per day';
    case 'ratio':
    case 'percent':
      return 'e.g. at least 95%';
    case undefined:
      return 'e.g. at least 95%, exactly 0 per day, above 2 in a row, at most 110% of baseline for 10m';
  }
}

const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}...` : text);
const wrong = (message: string, hint: string): LimitResult => ({ message, hint });
