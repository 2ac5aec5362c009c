// The judge of a soak: every sentence is about a way in which a soak must not pass, or must.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { counterSamples } from '../../src/core/counters.ts';
import type { Limit, Monitor, Observation, Metric } from '../../src/core/plan/plan.ts';
import {
  breaches,
  newSoak,
  outside,
  type Rules,
  type Sample,
  type SoakState,
  soakVerdict,
  takeSamples,
} from '../../src/core/soak.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const limit = (word: Limit['word'], value: number, more: Partial<Limit> = {}): Limit => ({
  word,
  value,
  text: `${word} ${value}`,
  ...more,
});
const week: Observation = { forMs: 7 * DAY, everyMs: HOUR, gapMs: 4 * HOUR };
const rulesOf = (
  metric: Metric,
  observation: Partial<Observation> = {},
  more: Readonly<Record<string, Monitor>> = {},
): Rules => ({
  observation: { ...week, ...observation },
  monitors: { m: { read: { sql: 'select 1' }, metrics: { r: metric } }, ...more },
  dayMs: DAY,
});
const at = (time: number, value: number | null, more: Partial<Sample> = {}): Sample => ({
  monitor: 'm',
  metric: 'r',
  at: time,
  value,
  ...more,
});
/** Hourly metrics from 0 up to and including `to`. */
const hourly = (to: number, value: (time: number) => number | null = () => 0): Sample[] =>
  Array.from({ length: to / HOUR + 1 }, (_, hour) => at(hour * HOUR, value(hour * HOUR)));
const judged = (rules: Rules, samples: readonly Sample[], state = newSoak()): SoakState =>
  takeSamples(rules, state, samples);
const plain = rulesOf({});

describe('its length', () => {
  test('seven days pass after seven days, not an hour sooner', () => {
    expect(soakVerdict(plain, judged(plain, hourly(7 * DAY - HOUR)), 7 * DAY - HOUR)).toBeNull();
    expect(soakVerdict(plain, judged(plain, hourly(7 * DAY)), 7 * DAY)).toBe('passed');
  });

  test('a clock that is set back makes it longer; what lasts then is counted from that moment', () => {
    const before = judged(plain, hourly(DAY));
    const back = judged(plain, [at(DAY - 2 * HOUR, 0)], before);
    expect(back).toMatchObject({ startedAt: 0, addedMs: 0 });
    expect(back.metrics['m/r']).toMatchObject({ answeredAt: DAY - 2 * HOUR });
    // The silence that follows is a gap from there, not from a moment that is still to come.
    expect(judged(plain, [at(DAY + 3 * HOUR, 0)], back)).toMatchObject({ addedMs: 5 * HOUR, missedGaps: 1 });
    const early = judged(plain, [at(HOUR, 0)], judged(plain, [at(3 * HOUR, 0)]));
    expect(early.startedAt, 'the first hours do not lie ahead').toBe(HOUR);
    const silent = judged(plain, [at(HOUR, null)], judged(plain, [at(3 * HOUR, null)]));
    expect(breaches(plain, silent, 2 * HOUR)).toMatchObject([{ is: 'inconclusive', lastedMs: HOUR }]);
  });

  test('nothing read is nothing passed, however long it takes', () => {
    expect(soakVerdict(plain, newSoak(), 100 * DAY)).toBeNull();
    const silent = judged(
      plain,
      hourly(7 * DAY, () => null),
    );
    expect(soakVerdict(plain, silent, 7 * DAY + plain.observation.gapMs)).toBe('extension-needed');
  });

  test.each([
    ['a gap as long as allowed is tolerated', 4 * HOUR, 0, 0],
    ['a longer one adds itself', 5 * HOUR, 5 * HOUR, 1],
    ['so does one of a day', DAY, DAY, 1],
  ])('%s', (_, gap, addedMs, missedGaps) => {
    const state = judged(plain, [at(0, 0), at(HOUR, 0), at(HOUR + gap, 0)]);
    expect(state).toMatchObject({ addedMs, missedGaps });
  });

  test(
    'one outage of two monitors is added once; a silent monitor beside a speaking one is a gap all the ' +
      'same',
    () => {
      const other: Monitor = { read: { sql: 'select 2' }, metrics: { r: {} } };
      const rules = rulesOf({}, {}, { n: other });
      const both = (time: number) => [at(time, 0), at(time, 0, { monitor: 'n' })];
      expect(judged(rules, [...both(0), ...both(DAY)])).toMatchObject({ addedMs: DAY, missedGaps: 1 });
      const alone = hourly(DAY).flatMap((sample) =>
        sample.at > 0 && sample.at < DAY ? [sample] : both(sample.at),
      );
      expect(judged(rules, alone)).toMatchObject({ addedMs: DAY, missedGaps: 1 });
    },
  );

  test('a monitor with a slower cadence of its own is not late at that cadence', () => {
    const slow: Monitor = { read: { sql: 'select 2' }, everyMs: DAY, metrics: { r: {} } };
    const rules = rulesOf({}, {}, { n: slow });
    const samples = [
      ...hourly(2 * DAY),
      at(0, 1, { monitor: 'n' }),
      at(DAY, 1, { monitor: 'n' }),
      at(2 * DAY, 1, { monitor: 'n' }),
    ];
    expect(
      judged(
        rules,
        samples.sort((a, b) => a.at - b.at),
      ),
    ).toMatchObject({ addedMs: 0 });
  });

  test('past its extension people are asked, and never before', () => {
    const rules = rulesOf({ objective: limit('at most', 1) }, { cleanDays: 7, extendMs: 2 * DAY });
    const state = judged(
      rules,
      hourly(9 * DAY, (time) => (time === 6 * DAY ? 5 : 0)),
    );
    expect(soakVerdict(rules, state, 9 * DAY - HOUR)).toBeNull();
    expect(soakVerdict(rules, state, 9 * DAY)).toBe('extension-needed');
  });

  test('one that has passed gives no further verdict while it is measured on', () => {
    const state = { ...judged(plain, hourly(7 * DAY)), passed: true };
    expect(soakVerdict(plain, state, 8 * DAY)).toBeNull();
  });
});

describe('clean days', () => {
  const rules = rulesOf({ objective: limit('at most', 1) }, { cleanDays: 3 });

  test('a missed objective starts them again', () => {
    const state = judged(
      rules,
      hourly(8 * DAY, (time) => (time === 6 * DAY ? 5 : 0)),
    );
    expect(soakVerdict(rules, state, 8 * DAY)).toBe('extension-needed');
    const later = judged(
      rules,
      hourly(9 * DAY, (time) => (time === 6 * DAY ? 5 : 0)),
    );
    expect(soakVerdict(rules, later, 9 * DAY)).toBe('passed');
  });

  test('so does a gap longer than allowed', () => {
    const state = judged(rules, [...hourly(5 * DAY), at(6 * DAY, 0)]);
    expect(state.cleanSince).toBe(6 * DAY);
  });

  test('an objective with `for` is missed only when it stayed outside for so long', () => {
    const patient = rulesOf({ objective: limit('at most', 1, { forMs: 2 * HOUR }) }, { cleanDays: 3 });
    expect(
      judged(patient, [at(0, 0), at(HOUR, 5), at(2 * HOUR, 5), at(2.5 * HOUR, 0)]).metrics['m/r']
        ?.objectiveMisses,
    ).toBe(0);
    expect(
      judged(patient, [at(0, 0), at(HOUR, 5), at(2 * HOUR, 5), at(3 * HOUR, 5)]).metrics['m/r']
        ?.objectiveMisses,
    ).toBe(1);
  });
});

describe('alerts', () => {
  test('an alert with `for` is none before, also when the value comes and goes', () => {
    const rules = rulesOf({ alert: limit('above', 10, { forMs: 2 * HOUR }) });
    expect(breaches(rules, judged(rules, [at(0, 11), at(HOUR, 11)]), HOUR)).toEqual([]);
    expect(breaches(rules, judged(rules, [at(0, 11), at(HOUR, 0), at(2 * HOUR, 11)]), 2 * HOUR)).toEqual([]);
    expect(
      breaches(rules, judged(rules, [at(0, 11), at(HOUR, 11), at(2 * HOUR, 11)]), 2 * HOUR),
    ).toMatchObject([{ is: 'alert', lastedMs: 2 * HOUR }]);
  });

  test('an alert that has not lasted long enough still keeps the soak from passing', () => {
    const rules = rulesOf({ alert: limit('above', 10, { forMs: 5 * HOUR }) });
    const state = judged(
      rules,
      hourly(7 * DAY, (time) => (time === 7 * DAY ? 11 : 0)),
    );
    expect(soakVerdict(rules, state, 7 * DAY)).not.toBe('passed');
  });

  test('`in a row` counts metrics that are not zero, and one zero begins anew', () => {
    const rules = rulesOf({ alert: limit('above', 2, { inARow: true }) });
    const values = (...list: number[]) =>
      judged(
        rules,
        list.map((value, hour) => at(hour * HOUR, value)),
      );
    expect(breaches(rules, values(7, 7), HOUR)).toEqual([]);
    expect(breaches(rules, values(7, 7, 0, 7, 7), 4 * HOUR)).toEqual([]);
    expect(breaches(rules, values(1, 1, 1), 2 * HOUR)).toHaveLength(1);
  });

  test(
    '`per day` is a rolling day: half of it at each side of midnight counts together, yesterday does ' +
      'not',
    () => {
      const rules = rulesOf({ alert: limit('above', 5, { perDay: true }) });
      expect(breaches(rules, judged(rules, [at(DAY - HOUR, 3), at(DAY + HOUR, 3)]), DAY + HOUR)).toHaveLength(
        1,
      );
      expect(breaches(rules, judged(rules, [at(0, 3), at(DAY + 2 * HOUR, 3)]), DAY + 2 * HOUR)).toEqual([]);
    },
  );

  test('what people decided to live with is not asked again until it has cleared', () => {
    const rules = rulesOf({ alert: limit('above', 10) });
    const accepted = { ...judged(rules, [at(0, 11)]), acknowledged: ['m/r'] };
    const still = judged(rules, [at(HOUR, 12)], accepted);
    expect(breaches(rules, still, HOUR)).toEqual([]);
    const back = judged(rules, [at(2 * HOUR, 0), at(3 * HOUR, 12)], still);
    expect(breaches(rules, back, 3 * HOUR)).toHaveLength(1);
  });
});

describe('no data is inconclusive, never a pass (rule 1)', () => {
  test('of baseline without a baseline is inconclusive; with one it is judged', () => {
    const rules = rulesOf({ alert: limit('above', 1.1, { ofBaseline: true }) });
    const state = judged(
      rules,
      hourly(7 * DAY, () => 100),
    );
    expect(breaches(rules, state, 7 * DAY)).toMatchObject([{ is: 'inconclusive' }]);
    expect(soakVerdict(rules, state, 7 * DAY + rules.observation.gapMs)).toBe('extension-needed');
    const measured = judged(
      rules,
      hourly(7 * DAY, () => 100),
      newSoak({ 'm/r': 100 }),
    );
    expect(soakVerdict(rules, measured, 7 * DAY)).toBe('passed');
    expect(breaches(rules, judged(rules, [at(0, 111)], newSoak({ 'm/r': 100 })), 0)).toHaveLength(1);
  });

  test.each([
    ['a quiet night is part of a week', 10, 0],
    ['as long as a day is', 24, 0],
    ['a day and an hour add themselves, though the last sample is good', 25, 25],
    ['nearly the whole soak', 160, 160],
  ])('too few to judge, answered every hour: %s', (_, quiet, added) => {
    const rules = rulesOf({ samples: 50 });
    const thin = ({ at: time }: Sample) => time >= HOUR && time < (quiet + 1) * HOUR;
    const state = judged(
      rules,
      hourly(7 * DAY).map((sample) => ({ ...sample, samples: thin(sample) ? 0 : 50 })),
    );
    expect(state.addedMs).toBe(added * HOUR);
    expect(soakVerdict(rules, state, 7 * DAY)).toBe(added ? null : 'passed');
  });

  test('fewer samples than asked for are inconclusive, whatever the value', () => {
    const rules = rulesOf({ samples: 50, alert: limit('below', 0.9) });
    expect(breaches(rules, judged(rules, [at(0, 0.1, { samples: 49 })]), 0)).toMatchObject([
      { is: 'inconclusive' },
    ]);
    expect(breaches(rules, judged(rules, [at(0, 0.1, { samples: 50 })]), 0)).toMatchObject([{ is: 'alert' }]);
  });

  test('one silent monitor keeps all the others from passing', () => {
    const rules = rulesOf({}, {}, { n: { read: { sql: 'select 2' }, metrics: { r: {} } } });
    expect(soakVerdict(rules, judged(rules, hourly(7 * DAY)), 7 * DAY + rules.observation.gapMs)).toBe(
      'extension-needed',
    );
  });

  test('a monitor that was read for six days and then hung is not passed on its old metrics', () => {
    const rules = rulesOf({}, {}, { n: { read: { sql: 'select 2' }, metrics: { r: {} } } });
    const samples = hourly(7 * DAY).flatMap((sample) => [
      sample,
      ...(sample.at < 6 * DAY ? [{ ...sample, monitor: 'n' }] : []),
    ]);
    expect(soakVerdict(rules, judged(rules, samples), 7 * DAY + rules.observation.gapMs)).toBe(
      'extension-needed',
    );
  });

  test('whatever was read, a soak with a metric that is missing at its end does not pass', () => {
    const metric = fc.record({
      objective: fc.constantFrom(limit('at most', 5), limit('exactly', 0)),
      alert: fc.constantFrom(limit('above', 50), limit('below', -1)),
    });
    fc.assert(
      fc.property(
        metric,
        fc.array(fc.option(fc.integer({ min: 0, max: 100 })), { minLength: 169, maxLength: 169 }),
        (spec, values) => {
          const rules = rulesOf(spec);
          const samples = [...values.map((value, hour) => at(hour * HOUR, value)), at(169 * HOUR, null)];
          expect(soakVerdict(rules, judged(rules, samples), 169 * HOUR)).not.toBe('passed');
        },
      ),
    );
  });

  test(
    'a soak is never shorter than its length and its gaps together, and taking samples one by one is ' +
      'the same as at once',
    () => {
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 80 }), (hours) => {
          let time = 0;
          const samples = [at(0, 0), ...hours.map((hour) => at((time += hour * HOUR), 0))];
          const state = judged(plain, samples);
          const gaps = hours
            .filter((hour) => hour * HOUR > week.gapMs)
            .reduce((sum, hour) => sum + hour * HOUR, 0);
          expect(state.addedMs).toBe(gaps);
          if (soakVerdict(plain, state, time) === 'passed')
            expect(time).toBeGreaterThanOrEqual(week.forMs + gaps);
          expect(samples.reduce((current, sample) => judged(plain, [sample], current), newSoak())).toEqual(
            state,
          );
        }),
      );
    },
  );
});

describe('thresholds', () => {
  test.each([
    ['objective', limit('at least', 95), 94, true],
    ['objective', limit('at least', 95), 95, false],
    ['objective', limit('at most', 5), 6, true],
    ['objective', limit('exactly', 0), 1, true],
    ['objective', limit('exactly', 0), 0, false],
    ['objective', limit('below', 5), 5, true],
    ['alert', limit('above', 2), 3, true],
    ['alert', limit('above', 2), 2, false],
    ['alert', limit('below', 90), 89, true],
    ['alert', limit('exactly', 0), 0, true],
  ] as const)('%s %o with %d: outside %s', (role, threshold, value, wanted) =>
    expect(outside(threshold, value, undefined, role)).toBe(wanted),
  );
});

describe('counters', () => {
  const monitor: Monitor = {
    read: { counters: 'x' },
    metrics: { rollbacks: { at: '/xact_rollback', of: 'xact_commit' }, deadlocks: {} },
  };
  const row = (commit: number, rollback: number, deadlocks: number | null = 0, stats = 'a') =>
    ({ xact_commit: commit, xact_rollback: rollback, deadlocks, stats_reset: stats }) as const;
  const samples = (before: ReturnType<typeof row> | undefined, now: ReturnType<typeof row>) =>
    counterSamples('db', monitor, 0, before, now);

  test('are deltas, and ratios of deltas with their number', () => {
    expect(samples(row(100, 10), row(300, 20))).toMatchObject([
      { metric: 'rollbacks', value: 0.05, samples: 200 },
      { metric: 'deadlocks', value: 0 },
    ]);
  });

  test('say nothing at the first look and after a reset, however it shows', () => {
    expect(samples(undefined, row(1, 1))).toEqual([]);
    expect(samples(row(100, 10), row(300, 20, 0, 'b'))).toEqual([]);
    expect(samples(row(100, 10), row(50, 20))).toEqual([]);
  });

  test(
    'of nothing is no ratio, and a missing column no number; an idle database is inconclusive but no ' +
      'gap',
    () => {
      expect(samples(row(100, 10, null), row(100, 10, null))).toMatchObject([
        { value: null, samples: 0 },
        { value: null },
      ]);
      const rules = rulesOf({});
      const idle = judged(rules, [at(0, 0), at(3 * HOUR, null, { samples: 0 }), at(6 * HOUR, 0)]);
      expect(idle.addedMs).toBe(0);
      expect(
        soakVerdict(
          rules,
          judged(rules, [...hourly(7 * DAY - HOUR), at(7 * DAY, null, { samples: 0 })]),
          7 * DAY,
        ),
      ).not.toBe('passed');
    },
  );
});
