import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LIMIT_PATTERN, type LimitPlace, parseLimit } from '../../../src/core/plan/limit.ts';
import type { Limit, Unit } from '../../../src/core/plan/plan.ts';

const metric = (unit?: Unit): LimitPlace => ({ metric: unit });

const good: readonly (readonly [string, LimitPlace, Omit<Limit, 'text'>])[] = [
  ['at least 95%', metric('ratio'), { word: 'at least', value: 0.95 }],
  ['at least 0.95', metric('ratio'), { word: 'at least', value: 0.95 }],
  ['below 7%', metric(), { word: 'below', value: 0.07 }],
  ['at least 95%', metric('percent'), { word: 'at least', value: 95 }],
  ['above 500ms', metric('ms'), { word: 'above', value: 500 }],
  ['above 1.5s', metric('ms'), { word: 'above', value: 1_500 }],
  ['above 500ms', metric('s'), { word: 'above', value: 0.5 }],
  ['at least 90', metric('count'), { word: 'at least', value: 90 }],
  ['exactly 0 per day', metric('count'), { word: 'exactly', value: 0, perDay: true }],
  ['exactly 0 per day', metric(), { word: 'exactly', value: 0, perDay: true }],
  ['above 2 in a row', metric(), { word: 'above', value: 2, inARow: true }],
  [
    'at most 110% of baseline for 10m',
    metric('ms'),
    { word: 'at most', value: 1.1, ofBaseline: true, forMs: 600_000 },
  ],
  ['above 150% of baseline', metric(), { word: 'above', value: 1.5, ofBaseline: true }],
  ['above 250ms for 10m', metric('ms'), { word: 'above', value: 250, forMs: 600_000 }],
  ['at least 300% of database', 'disk', { word: 'at least', value: 3, ofDatabase: true }],
  ['at least 20GB', 'disk', { word: 'at least', value: 20e9 }],
  ['at most 5m', 'duration', { word: 'at most', value: 300_000 }],
  ['at most 110% of baseline', 'mean', { word: 'at most', value: 1.1, ofBaseline: true }],
  ['at most 300ms', 'mean', { word: 'at most', value: 300 }],
  ['exactly 0', 'value', { word: 'exactly', value: 0 }],
];

const bad: readonly (readonly [string, LimitPlace])[] = [
  ['under 5', metric()],
  ['At least 5', metric()],
  ['at  least 5', metric()],
  ['at least 5 ', metric()],
  ['at least', metric()],
  ['95%', metric()],
  ['at least 95', metric('ratio')],
  ['at least 95%', metric('count')],
  ['at least 5', metric('ms')],
  ['at least 5%', metric('ms')],
  ['at least 110 of baseline', metric('count')],
  ['at least 300% of database', metric()],
  ['above 2.5 in a row', metric()],
  ['above 10% in a row', metric('ratio')],
  ['exactly 2 in a row', metric()],
  ['above 2 in a row for 10m', metric()],
  ['above 2 per day for 10m', metric()],
  ['above 2 for ever', metric()],
  ['above 2 for 0s', metric()],
  ['at most 5m per day', 'duration'],
  ['at most 5m for 1h', 'duration'],
  ['at most 5', 'duration'],
  ['at least 300%', 'disk'],
  ['at least 3', 'disk'],
  ['at most 110%', 'mean'],
  ['exactly 5%', 'value'],
];

describe('thresholds', () => {
  test.each(good)('%s (%j)', (text, place, limit) => {
    expect(parseLimit(text, place)).toEqual({ limit: { ...limit, text } });
    expect(text).toMatch(new RegExp(LIMIT_PATTERN, 'u'));
  });

  test.each(bad)('%j is refused (%j), with an example that is accepted', (text, place) => {
    const result = parseLimit(text, place);
    if ('limit' in result) throw new Error(`${text} was accepted as ${JSON.stringify(result.limit)}`);
    expect(result.message).not.toBe('');
    const [, example] =
      /(?:e\.g\.) ((?:at least|at most|above|below|exactly) [^,;]+)/u.exec(result.hint) ?? [];
    if (example !== undefined) expect(parseLimit(example, place)).toHaveProperty('limit');
    else expect(result.hint).toMatch(/leave one of them out|for 10m/u);
  });

  test('whatever is accepted anywhere fits the published pattern', () => {
    const word = fc.constantFrom('at least', 'at most', 'above', 'below', 'exactly', 'over');
    const amount = fc.constantFrom('0', '2', '95%', '0.5', '500ms', '20GB', '110%', '-1', 'x');
    const tail = fc.constantFrom(
      '',
      ' per day',
      ' in a row',
      ' of baseline',
      ' of database',
      ' for 10m',
      ' of baseline for 10m',
      ' for x',
    );
    const place = fc.constantFrom<LimitPlace>(
      'duration',
      'disk',
      'mean',
      'value',
      metric(),
      metric('ms'),
      metric('s'),
      metric('count'),
      metric('ratio'),
      metric('percent'),
    );
    fc.assert(
      fc.property(word, amount, tail, place, (...[w, a, t, where]) => {
        const result = parseLimit(`${w} ${a}${t}`, where);
        if ('limit' in result) expect(result.limit.text).toMatch(new RegExp(LIMIT_PATTERN, 'u'));
      }),
      { numRuns: 2_000 },
    );
  });
});
