// How one look is judged: alone, and by what a single look can know.
import { describe, expect, test } from 'vitest';
import { judgeLook, readsOf } from '../../src/core/follow-up.ts';
import { parsePlan } from '../../src/core/plan/parse.ts';
import type { Meter } from '../../src/core/plan/plan.ts';
import { storyPlan } from '../support/story-plan.ts';

const DAY = 86_400_000;

/** A meter as a plan writes it. */
function meterOf(text: string): Meter {
  const parsed = parsePlan(
    storyPlan()
      .replace('steps:\n', 'steps:\n  - { step: baseline, baseline: { http: { get: [/] } } }\n')
      .replace(
        /^meters:\n(?: {2}.*\n)+/mu,
        `meters:\n  it: ${text}\n  site: { read: { http: { get: / } }, readings: { failures: { target: exactly 0, alert: above 2 in a row } } }\n  shop: { read: { command: [node, monitor.mjs] }, readings: { paid: { at: /paid, unit: ratio, target: at least 95% } } }\n`,
      ),
    'soakgate.yaml',
  );
  if (!('plan' in parsed)) throw new Error(JSON.stringify(parsed.complaints, null, 1));
  return parsed.plan.meters['it']!;
}
const look = (
  meter: Meter,
  reading: string,
  values: readonly (number | null)[],
  more: { spanMs?: number | null; samples?: number; baseline?: number } = {},
) =>
  judgeLook({
    name: 'it',
    meter,
    samples: values.map((value, at) => ({
      meter: 'it',
      reading,
      at: 1_000 * (at + 1),
      value,
      ...(more.samples !== undefined && { samples: more.samples }),
    })),
    baseline: more.baseline === undefined ? {} : { [`it/${reading}`]: more.baseline },
    spanMs: more.spanMs ?? null,
    dayMs: DAY,
  });

const SITE = '{ read: { http: { get: / } }, readings: { failures: { target: exactly 0, alert: above 2 in a row } } }';
const SLOW = '{ read: { http: { get: / } }, readings: { latency: { unit: ms, target: at most 1s for 10m, alert: above 2s for 10m } } }';
const DAILY =
  '{ read: { command: [node, m.mjs], since: --since }, readings: { violations: { at: /n, unit: count, target: exactly 0 per day, alert: above 10 per day } } }';
const COUNTED = '{ read: { counters: meters/c.sql }, readings: { rollbacks: { of: commits, target: below 1%, alert: above 5%, samples: 100 } } }';

describe('a look', () => {
  test.each([
    ['in a row asks one more than it allows', SITE, 3],
    ['for asks a few times', SLOW, 5],
    ['what happened since the last look is asked once', DAILY, 1],
    ['so are counters', COUNTED, 1],
  ])('%s', (_, text, times) => expect(readsOf(meterOf(text))).toBe(times));

  test.each([
    ['three failures in a row', SITE, 'failures', [1, 1, 1], 1],
    ['two, and one answer', SITE, 'failures', [1, 1, 0], 0],
    ['slow in all readings', SLOW, 'latency', [2_500, 2_500, 2_500, 2_500, 2_500], 1],
    ['slow in the last ones only', SLOW, 'latency', [100, 2_500, 2_500, 2_500, 2_500], 0],
    ['no answer', SLOW, 'latency', [null, null, null, null, null], 1],
  ] as const)('%s', (_, text, reading, values, troubles) => expect(look(meterOf(text), reading, values).troubles).toHaveLength(troubles));

  test('a week is judged by the day: 70 violations are ten a day, 71 are more', () => {
    expect(look(meterOf(DAILY), 'violations', [70], { spanMs: 7 * DAY })).toEqual({ troubles: [], lines: ['it/violations: 70'] });
    expect(look(meterOf(DAILY), 'violations', [71], { spanMs: 7 * DAY }).troubles).toEqual([expect.stringContaining('alert above 10 per day')]);
    expect(look(meterOf(DAILY), 'violations', [11], { spanMs: DAY / 2 }).troubles, 'half a day is not two').toHaveLength(1);
  });

  test('no number is never well: too few, or none where there was a look before; the first look at counters only begins', () => {
    const counters = meterOf(COUNTED);
    expect(look(counters, 'rollbacks', [0.5], { spanMs: DAY, samples: 10 }).troubles).toEqual(['it/rollbacks has not enough data']);
    expect(look(counters, 'rollbacks', [], { spanMs: DAY })).toEqual({
      troubles: ['it/rollbacks has not enough data'],
      lines: ['it/rollbacks: no reading'],
    });
    expect(look(counters, 'rollbacks', []).troubles).toEqual([]);
  });

  test('of baseline needs its baseline', () => {
    const meter = meterOf(
      '{ read: { http: { get: / } }, readings: { latency: { target: at most 110% of baseline, alert: above 150% of baseline } } }',
    );
    expect(look(meter, 'latency', [160], { baseline: 100 }).troubles).toHaveLength(1);
    expect(look(meter, 'latency', [140], { baseline: 100 }).troubles).toEqual([]);
    expect(look(meter, 'latency', [100]).troubles).toEqual(['it/latency has not enough data']);
  });
});
