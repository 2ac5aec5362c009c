// Windows by cron and zone, and the notice that must have been given before them.
import { describe, expect, test } from 'vitest';
import { entryInto, local, nextOpening, type Window } from '../../src/io/window.ts';

const HOUR = 3_600_000;
const window: Window = {
  opens: '0 2 * * SUN',
  zone: 'Europe/Berlin',
  lengthMs: 2 * HOUR,
  noticeMs: 48 * HOUR,
};
const at = (text: string) => Date.parse(text);
/** Sunday, 02:00 in Berlin. */
const OPENS = at('2026-11-29T01:00:00Z');
const both = ['window-open', 'notice-given'];

describe('the window', () => {
  test.each<[string, number, boolean, number | null]>([
    ['a minute before it opens', OPENS - 60_000, false, 60_000],
    ['as it opens', OPENS, true, 0],
    ['in its last second', OPENS + 2 * HOUR - 1_000, true, 0],
    ['as it closes: a week to wait', OPENS + 2 * HOUR, false, 166 * HOUR],
  ])('%s', (_, now, open, waitMs) =>
    expect(entryInto(window, ['window-open'], null, now)).toMatchObject({ open, waitMs }),
  );

  test('says when it opens, in its own zone', () =>
    expect(entryInto(window, ['window-open'], null, OPENS - HOUR).why).toBe(
      'the window opens Sun 2026-11-29 02:00 Europe/Berlin',
    ));

  test(
    'in the night when clocks roll back, 02:00 comes twice and opens once; when they go forward it ' +
      'opens at 03:00',
    () => {
      expect(nextOpening(window, at('2026-10-24T12:00:00Z'))).toBe(at('2026-10-25T00:00:00Z'));
      expect(nextOpening(window, at('2026-10-25T00:00:00Z'))).toBe(at('2026-11-01T01:00:00Z'));
      expect(local(nextOpening(window, at('2027-03-27T12:00:00Z'))!, 'Europe/Berlin')).toBe(
        'Sun 2027-03-28 03:00 Europe/Berlin',
      );
    },
  );

  test.each([
    [{ ...window, opens: '61 2 * * SUN' }, /the window "61 2 \* \* SUN" in Europe\/Berlin cannot be read/u],
    [{ ...window, zone: 'Europe/Atlantis' }, /cannot be read/u],
  ])('what cannot be read never opens', (odd, why) =>
    expect(() => entryInto(odd, ['window-open'], null, OPENS)).toThrow(why),
  );
});

describe('the notice (S1-29)', () => {
  test('not given: nobody can say when', () =>
    expect(entryInto(window, both, null, OPENS)).toEqual({
      open: false,
      waitMs: null,
      why: 'notice has not been given',
    }));

  test('48 hours before the window it is given in time; 47 hours before, the next window is the first', () => {
    expect(entryInto(window, both, OPENS - 48 * HOUR, OPENS + HOUR)).toMatchObject({ open: true });
    expect(entryInto(window, both, OPENS - 47 * HOUR, OPENS + HOUR)).toMatchObject({
      open: false,
      waitMs: 167 * HOUR,
    });
  });

  test('asked alone, it runs without a window', () => {
    expect(entryInto(window, ['notice-given'], OPENS, OPENS + 47 * HOUR)).toMatchObject({
      open: false,
      waitMs: HOUR,
    });
    expect(entryInto(window, ['notice-given'], OPENS, OPENS + 48 * HOUR)).toMatchObject({ open: true });
  });
});
