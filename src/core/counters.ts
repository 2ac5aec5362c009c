// Counters as deltas, with reset detection: what a pg_stat row means between two metrics.
import type { Monitor } from './plan/plan.ts';
import type { Counters, Sample } from './soak.ts';

const RESET_COLUMN = 'stats_reset';

/** Samples of one counters monitor; none when there is nothing to compare with or the counters were reset. */
export function counterSamples(
  name: string,
  monitor: Monitor,
  at: number,
  before: Counters | undefined,
  now: Counters,
): readonly Sample[] {
  if (!before || wasReset(before, now)) return [];
  const delta = (column: string) => Number(now[column] ?? Number.NaN) - Number(before[column] ?? Number.NaN);
  return Object.entries(monitor.metrics).map(([metric, spec]): Sample => {
    const change = delta((spec.at ?? metric).replace(/^\//u, ''));
    if (Number.isNaN(change)) return { monitor: name, metric, at, value: null };
    if (spec.of === undefined) return { monitor: name, metric, at, value: change };
    const whole = delta(spec.of);
    return { monitor: name, metric, at, value: whole > 0 ? change / whole : null, samples: whole };
  });
}

function wasReset(before: Counters, now: Counters): boolean {
  if (String(before[RESET_COLUMN] ?? '') !== String(now[RESET_COLUMN] ?? '')) return true;
  return Object.entries(now).some(
    ([column, value]) =>
      typeof value === 'number' && typeof before[column] === 'number' && value < before[column],
  );
}
