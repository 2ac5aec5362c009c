// Canonical JSON, pace and its guardrails, slices, snapshots: values that hashes, clocks and comparisons rest
// on.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonical, sameJson } from '../../src/core/canonical.ts';
import { paced, paceEnvironment, paceMonitors } from '../../src/core/pace.ts';
import { valueAt } from '../../src/core/pointer.ts';
import type { Monitor } from '../../src/core/plan/plan.ts';
import { compareSnapshots, describeDifference, type Snapshot } from '../../src/core/snapshot.ts';
import type { StepList } from '../../src/core/step-list.ts';
import { sliceMs } from '../../src/core/slice.ts';

describe('canonical JSON (RFC 8785)', () => {
  test('the example of section 3.2.4', () => {
    const value = {
      // oxlint-disable-next-line no-loss-of-precision -- the vector of RFC 8785, 3.2.2
      numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      // oxlint-disable-next-line no-useless-escape -- the vector of RFC 8785, 3.2.2
      string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
      literals: [null, true, false],
    };
    expect(canonical(value)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  test('keys are sorted by UTF-16 code units (section 3.2.3)', () => {
    const value = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      1: 'One',
      '\ud83d\ude00': 'Emoji',
      '\u0080': 'Control',
      '\u00f6': 'o umlaut',
    };
    expect(
      Object.keys(JSON.parse(canonical(value)) as object).map(
        (key) => (value as Record<string, string>)[key],
      ),
    ).toEqual(
      [
        'Carriage Return',
        'One',
        'Control',
        'o umlaut',
        'Euro Sign',
        'Emoji',
        'Hebrew Letter Dalet With Dagesh',
      ].sort((a, b) => Number(a !== 'One') - Number(b !== 'One')),
    );
    expect(canonical(value).indexOf('\ud83d\ude00')).toBeLessThan(canonical(value).indexOf('\ufb33'));
  });

  test.each([
    [0, '0'],
    [-0, '0'],
    [5e-324, '5e-324'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
    [9007199254740992, '9007199254740992'],
    [295147905179352830000, '295147905179352830000'],
    [1e21, '1e+21'],
    [1e-7, '1e-7'],
  ])('number %d', (value, text) => expect(canonical(value)).toBe(text));

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 1n, () => 1, Symbol('x')])('%s is refused', (value) =>
    expect(() => canonical(value)).toThrow(TypeError),
  );

  test('a lone surrogate is refused, so that two different texts never have one signature', () => {
    expect(() => canonical('\ud83d')).toThrow(TypeError);
    expect(() => canonical({ '\ude00': 1 })).toThrow(TypeError);
  });

  test('order and white space of the source never matter, content always does', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonical(value);
        expect(canonical(JSON.parse(text))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(sameJson(value, { other: value })).toBe(false);
      }),
    );
  });
});

describe('pace', () => {
  const week = { nominalMs: 604_800_000, realMs: 60_000 };
  const observation = { forMs: 604_800_000, everyMs: 60_000, gapMs: 300_000, extendMs: 604_800_000 };

  test('divides what is observed, and keeps its guardrails: cadence 250 ms, gap four cadences', () => {
    const { environment, dayMs } = paceEnvironment({ name: 'e', services: [], soak: observation }, week);
    expect(environment.soak).toMatchObject({ forMs: 60_000, everyMs: 250, extendMs: 60_000 });
    expect(environment.soak?.gapMs).toBeGreaterThanOrEqual(1_000);
    expect(dayMs).toBe(8_571);
  });

  test('divides notice, never the length of a window', () => {
    const window = { opens: '0 2 * * SUN', zone: 'UTC', lengthMs: 7_200_000, noticeMs: 172_800_000 };
    expect(paceEnvironment({ name: 'e', services: [], window }, week).environment.window).toMatchObject({
      lengthMs: 7_200_000,
      noticeMs: 17_143,
    });
  });

  test("a threshold's `for` is at least two cadences, a monitor's own cadence at least 250 ms", () => {
    const monitors: Readonly<Record<string, Monitor>> = {
      m: {
        read: { sql: 's' },
        everyMs: 60_000,
        metrics: { r: { alert: { word: 'above', value: 1, forMs: 600_000, text: '' } } },
      },
    };
    expect(paceMonitors(monitors, week)['m']).toMatchObject({
      everyMs: 250,
      metrics: { r: { alert: { forMs: 500 } } },
    });
    expect(paceMonitors(monitors, null)).toBe(monitors);
  });

  test('without pace nothing changes', () => expect(paced(12_345, null)).toBe(12_345));

  test('a slice is ten minutes at first, then an hour, and never shorter than eight cadences', () => {
    const list = (everyMs: number, pace: StepList['pace'] = null) =>
      ({ environment: { soak: { ...observation, everyMs } }, pace }) as unknown as StepList;
    expect([0, 5, 6, 100].map((number) => sliceMs(list(60_000), 'soak', number))).toEqual([
      600_000, 600_000, 3_600_000, 3_600_000,
    ]);
    expect(sliceMs(list(3_600_000), 'soak', 0)).toBe(8 * 3_600_000);
    expect(sliceMs(list(250, week), 'soak', 0)).toBe(2_000);
  });
});

describe('JSON pointers', () => {
  test.each([
    ['', { a: 1 }, { a: 1 }],
    ['/a/b~1c', { a: { 'b/c': 2 } }, 2],
    ['/a/1', { a: [1, 2] }, 2],
    ['/m~0n', { 'm~n': 8 }, 8],
    ['/toString', {}, undefined],
    ['/a/b', { a: null }, undefined],
  ])('%s', (pointer, document, value) => expect(valueAt(document as never, pointer)).toEqual(value));
});

describe('snapshots', () => {
  const snapshot = (more: Partial<Snapshot> = {}): Snapshot => ({
    catalog: { 'constraint a': "CHECK ((status = ANY (ARRAY['a'::text, 'b'::text])))" },
    content: { 'public.t': { rows: 2, hash: 'a'.repeat(64) } },
    sequences: { 'public.s': '10' },
    ...more,
  });
  const sentences = (is: Snapshot, except?: readonly string[]) =>
    compareSnapshots(snapshot(), is, except).map(describeDifference);

  test('an expression that a restore prints anew is the same; another value is not', () => {
    expect(
      sentences(
        snapshot({
          catalog: {
            'constraint a': "CHECK (status = ANY (ARRAY['a'::character varying, 'b'::text]::text[]))",
          },
        }),
      ),
    ).toEqual([]);
    expect(
      sentences(
        snapshot({ catalog: { 'constraint a': "CHECK ((status = ANY (ARRAY['a'::text, 'c'::text])))" } }),
      ),
    ).toHaveLength(1);
    const cut = (length: number): Snapshot =>
      snapshot({ catalog: { 'constraint a': `CHECK ((v)::character varying(${length}) <> ''::text)` } });
    expect(compareSnapshots(cut(30), cut(3))).toHaveLength(1);
    expect(compareSnapshots(cut(30), cut(30))).toEqual([]);
  });

  test('an index left behind, a table gone, three rows more and a sequence that rolled back are each named', () => {
    expect(sentences(snapshot({ catalog: { ...snapshot().catalog, 'index i': 'btree (a)' } }))).toEqual([
      'index i was left behind: btree (a)',
    ]);
    expect(sentences(snapshot({ catalog: {} }))[0]).toContain('constraint a is missing');
    expect(sentences(snapshot({ content: { 'public.t': { rows: 5, hash: 'b'.repeat(64) } } }))[0]).toContain(
      'public.t differs: was 2 rows',
    );
    expect(sentences(snapshot({ sequences: { 'public.s': '9' } }))).toEqual([
      'public.s rolled back from 10 to 9',
    ]);
  });

  test('the same number of other rows is a difference; a sequence ahead and an excepted journal are none', () => {
    expect(sentences(snapshot({ content: { 'public.t': { rows: 2, hash: 'b'.repeat(64) } } }))).toHaveLength(
      1,
    );
    expect(sentences(snapshot({ sequences: { 'public.s': '11' } }))).toEqual([]);
    expect(sentences(snapshot({ content: {} }), ['public.t'])).toEqual([]);
  });

  test('a literal is never normalised away: white space, brackets and casts inside quotes count', () => {
    const check = (text: string) => snapshot({ catalog: { 'constraint a': `CHECK ((x <> '${text}'))` } });
    for (const [was, is] of [
      ['a b', 'a  b'],
      ['(a)', 'a'],
      ['a::text', 'a'],
    ] as const)
      expect(compareSnapshots(check(was), check(is)), `${was} | ${is}`).toHaveLength(1);
  });
});
