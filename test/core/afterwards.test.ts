// How one look is judged: alone, and by what a single look can know.
import { describe, expect, test } from 'vitest';
import { judgeAfterwards, readsOf } from '../../src/core/afterwards.ts';
import { parsePlan } from '../../src/core/plan/parse.ts';
import type { Monitor } from '../../src/core/plan/plan.ts';
import { storyPlan } from '../support/story-plan.ts';

const DAY = 86_400_000;

/** A monitor as a plan writes it. */
function monitorOf(text: string): Monitor {
  const parsed = parsePlan(
    storyPlan()
      .replace('steps:\n', 'steps:\n  - { step: baseline, baseline: { http: { get: [/] } } }\n')
      .replace(
        /^monitors:\n(?: {2}.*\n)+/mu,
        `monitors:\n  it: ${text}\n  site: { read: { http: { get: / } }, metrics: { failures: { ` +
          `objective: exactly 0, alert: above 2 in a row } } }\n  shop: { read: { command: [node, ` +
          `monitor.mjs] }, metrics: { paid: { at: /paid, unit: ratio, objective: at least 95% } } }\n`,
      ),
    'soakgate.yaml',
  );
  if (!('plan' in parsed)) throw new Error(JSON.stringify(parsed.complaints, null, 1));
  return parsed.plan.monitors['it']!;
}
const look = (
  monitor: Monitor,
  metric: string,
  values: readonly (number | null)[],
  more: { spanMs?: number | null; samples?: number; baseline?: number } = {},
) =>
  judgeAfterwards({
    name: 'it',
    monitor,
    samples: values.map((value, at) => ({
      monitor: 'it',
      metric,
      at: 1_000 * (at + 1),
      value,
      ...(more.samples !== undefined && { samples: more.samples }),
    })),
    baseline: more.baseline === undefined ? {} : { [`it/${metric}`]: more.baseline },
    spanMs: more.spanMs ?? null,
    dayMs: DAY,
  });

const SITE =
  '{ read: { http: { get: / } }, metrics: { failures: { objective: exactly 0, alert: above 2 in a row } } }';
const SLOW =
  '{ read: { http: { get: / } }, metrics: { latency: { unit: ms, objective: at most 1s for 10m, ' +
  'alert: above 2s for 10m } } }';
const DAILY =
  '{ read: { command: [node, m.mjs], since: --since }, metrics: { violations: { at: /n, unit: count, ' +
  'objective: exactly 0 per day, alert: above 10 per day } } }';
const COUNTED =
  '{ read: { counters: monitors/c.sql }, metrics: { rollbacks: { of: commits, objective: below 1%, ' +
  'alert: above 5%, samples: 100 } } }';

describe('a look', () => {
  test.each([
    ['in a row asks one more than it allows', SITE, 3],
    ['for asks a few times', SLOW, 5],
    ['what happened since the last look is asked once', DAILY, 1],
    ['so are counters', COUNTED, 1],
  ])('%s', (_, text, times) => expect(readsOf(monitorOf(text))).toBe(times));

  test.each([
    ['three failures in a row', SITE, 'failures', [1, 1, 1], 1],
    ['two, and one answer', SITE, 'failures', [1, 1, 0], 0],
    ['slow in all metrics', SLOW, 'latency', [2_500, 2_500, 2_500, 2_500, 2_500], 1],
    ['slow in the last ones only', SLOW, 'latency', [100, 2_500, 2_500, 2_500, 2_500], 0],
    ['no answer', SLOW, 'latency', [null, null, null, null, null], 1],
  ] as const)('%s', (_, text, metric, values, troubles) =>
    expect(look(monitorOf(text), metric, values).troubles).toHaveLength(troubles),
  );

  test('a week is judged by the day: 70 violations are ten a day, 71 are more', () => {
    expect(look(monitorOf(DAILY), 'violations', [70], { spanMs: 7 * DAY })).toEqual({
      troubles: [],
      lines: ['it/violations: 70'],
    });
    expect(look(monitorOf(DAILY), 'violations', [71], { spanMs: 7 * DAY }).troubles).toEqual([
      expect.stringContaining('alert above 10 per day'),
    ]);
    expect(
      look(monitorOf(DAILY), 'violations', [11], { spanMs: DAY / 2 }).troubles,
      'half a day is not two',
    ).toHaveLength(1);
  });

  test(
    'no number is never well: too few, or none where there was a look before; the first look at ' +
      'counters only begins',
    () => {
      const counters = monitorOf(COUNTED);
      expect(look(counters, 'rollbacks', [0.5], { spanMs: DAY, samples: 10 }).troubles).toEqual([
        'it/rollbacks has too few samples',
      ]);
      expect(look(counters, 'rollbacks', [], { spanMs: DAY })).toEqual({
        troubles: ['it/rollbacks has too few samples'],
        lines: ['it/rollbacks: no metric'],
      });
      expect(look(counters, 'rollbacks', []).troubles).toEqual([]);
    },
  );

  test('of baseline needs its baseline', () => {
    const monitor = monitorOf(
      '{ read: { http: { get: / } }, metrics: { latency: { objective: at most 110% of baseline, ' +
        'alert: above 150% of baseline } } }',
    );
    expect(look(monitor, 'latency', [160], { baseline: 100 }).troubles).toHaveLength(1);
    expect(look(monitor, 'latency', [140], { baseline: 100 }).troubles).toEqual([]);
    expect(look(monitor, 'latency', [100]).troubles).toEqual(['it/latency has too few samples']);
  });
});
