import { expect, test } from 'vitest';
import { countLines } from '../../src/core/log-lines.ts';

const log = {
  files: ['all.log', 'errors.log'],
  lines: {
    integrity: 'IntegrityError.*"(\\w+)"',
    validation: 'ValidationError',
    rollbacks: 'rolled back',
    slow: 'took \\d{4,} ms',
  },
  keep: 1,
};
const line = (at: number, what: string) => `2026-11-28T02:00:0${at} ${what}`;

test('S0-51: one line of each class: four counters rise once each', () => {
  const lines = [
    'IntegrityError: violates "age_limits"',
    'ValidationError: xp',
    'rolled back',
    'spend took 1200 ms',
    'took 900 ms',
    'all is well',
  ];
  const { counts, excerpt } = countLines(log, [lines.map((what, at) => line(at, what)), []], '');
  expect(counts).toEqual({ integrity: 1, validation: 1, rollbacks: 1, slow: 1 });
  expect(excerpt).toContain(line(5, 'all is well').replace('5 all is well', '4 took 900 ms'));
});

test('T-55: an error that stands in both files is one; the same words twice in one file are two', () => {
  const error = line(1, 'IntegrityError: "age_limits"');
  expect(countLines(log, [[error, line(2, 'rolled back')], [error]], '').counts).toMatchObject({
    integrity: 1,
    rollbacks: 1,
  });
  expect(countLines(log, [['rolled back', 'rolled back'], []], '').counts['rollbacks']).toBe(2);
  expect(
    countLines(
      log,
      [
        ['rolled back', 'rolled back'],
        ['rolled back', 'rolled back'],
      ],
      '',
    ).counts['rollbacks'],
  ).toBe(2);
});

test('a record that had reached only one file is not counted again when it reaches the other', () => {
  const error = line(1, 'IntegrityError: "age_limits"');
  const first = countLines(log, [[error], []], '');
  expect(first.counts['integrity']).toBe(1);
  expect(countLines(log, [[], [error]], first.seen).counts['integrity']).toBe(0);
  expect(
    countLines(log, [[], [line(3, 'IntegrityError: "age_limits"')]], first.seen).counts['integrity'],
    'another one',
  ).toBe(1);
});

test('S0-52: what the pattern catches is named, the most frequent first', () => {
  const names = ['a', 'b', 'b', 'c', 'd', 'b'].map((name, at) => line(at, `IntegrityError: "${name}"`));
  expect(countLines(log, [names], '').caught).toEqual({ integrity: 'b ×3, a ×1, c ×1, 1 more' });
});

test('marks and excerpts stay small', () => {
  const many = Array.from({ length: 500 }, (_, at) => `rolled back ${at} ${'x'.repeat(2_000)}`);
  const { seen, excerpt, counts } = countLines(log, [many], '');
  expect(counts['rollbacks']).toBe(500);
  expect(seen.length).toBeLessThan(300);
  expect(excerpt.join('').length).toBeLessThan(20_000);
});
