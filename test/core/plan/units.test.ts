import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  exact,
  formatDuration,
  parseDuration,
  parseNumber,
  parsePercent,
  parseSize,
} from '../../../src/core/plan/units.ts';

describe('durations', () => {
  test.each([
    ['0s', 0],
    ['50ms', 50],
    ['1.5s', 1_500],
    ['10m', 600_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
    ['2w', 1_209_600_000],
  ])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  test.each([
    '',
    '7',
    'd',
    '7 d',
    '7days',
    '07d',
    '-1s',
    '+1s',
    '1e3s',
    '.5s',
    '1.s',
    '0.1ms',
    '1h30m',
    'at least 7d',
    '7d\n',
    '９d',
    '999999999999999w',
  ])('%j is none', (text) => expect(parseDuration(text)).toBeUndefined());

  test('whole milliseconds written as words read as themselves', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 13 }), (ms) => parseDuration(formatDuration(ms)) === ms),
    );
  });

  test.each([
    [0, '0ms'],
    [1_500, '1500ms'],
    [90_000, '90s'],
    [604_800_000, '7d'],
  ])('%d ms is written %s', (ms, text) => expect(formatDuration(ms)).toBe(text));
});

describe('sizes and ratios', () => {
  test.each([
    ['512B', 512],
    ['20GB', 20e9],
    ['1.5KiB', 1536],
    ['2TiB', 2 * 1024 ** 4],
  ])('%s is %d bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes));
  test.each(['20', '20G', '20gb', '0.3B', '20 GB'])('%j is no size', (text) =>
    expect(parseSize(text)).toBeUndefined(),
  );

  test('every percentage of up to two decimals is the very fraction that is written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000_00 }), (hundredths) => {
        const fraction = parsePercent(`${exact(hundredths / 100)}%`);
        return fraction === Number(`${hundredths}e-4`);
      }),
    );
  });
  test.each(['95', '%', '95 %', '-5%', '1e2%'])('%j is no percentage', (text) =>
    expect(parsePercent(text)).toBeUndefined(),
  );
  test.each(['1e3', '0x1', '01', '1_000', 'NaN', 'Infinity'])('%j is no number', (text) =>
    expect(parseNumber(text)).toBeUndefined(),
  );
});
