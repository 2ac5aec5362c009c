// Counters as deltas, with reset detection: what a pg_stat row means between two readings.
import type { Meter } from './plan/plan.ts';
import type { Counters, Sample } from './soak.ts';

const RESET_COLUMN = 'stats_reset';

/** Samples of one counters meter; none when there is nothing to compare with or the counters were reset. */
export function counterSamples(name: string, meter: Meter, at: number, before: Counters | undefined, now: Counters): readonly Sample[] {
  if (!before || wasReset(before, now)) return [];
  const delta = (column: string) => Number(now[column] ?? Number.NaN) - Number(before[column] ?? Number.NaN);
  return Object.entries(meter.readings).map(([reading, spec]): Sample => {
    const change = delta((spec.at ?? reading).replace(/^\//u, ''));
    if (Number.isNaN(change)) return { meter: name, reading, at, value: null };
    if (spec.of === undefined) return { meter: name, reading, at, value: change };
    const whole = delta(spec.of);
    return { meter: name, reading, at, value: whole > 0 ? change / whole : null, samples: whole };
  });
}

function wasReset(before: Counters, now: Counters): boolean {
  if (String(before[RESET_COLUMN] ?? '') !== String(now[RESET_COLUMN] ?? '')) return true;
  return Object.entries(now).some(([column, value]) => typeof value === 'number' && typeof before[column] === 'number' && value < before[column]);
}
