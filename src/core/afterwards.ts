// How one look of the post-deployment checks is judged: alone, because the one before is a week old.
import { countsSince } from './plan/monitors/facts.ts';
import type { Limit, Monitor, Metric } from './plan/plan.ts';
import { breaches, newSoak, type Rules, type Sample, takeSamples } from './soak.ts';

/** Enough to tell a limit with `for` from one slow answer. */
const READS_WITH_FOR = 5;
const MOST_READS = 10;

/**
 * How often one look reads a monitor: as often as `in a row` asks, and a few times where a limit must last.
 */
export function readsOf(monitor: Monitor): number {
  if (countsSince(monitor.read)) return 1;
  const limits = Object.values(monitor.metrics).flatMap(({ objective, alert }) =>
    [objective, alert].filter((limit) => limit !== undefined),
  );
  const reads = limits.map((limit) =>
    limit.inARow ? limit.value + 1 : limit.forMs === undefined ? 1 : READS_WITH_FOR,
  );
  return Math.min(Math.max(1, ...reads), MOST_READS);
}

export interface Look {
  readonly name: string;
  readonly monitor: Monitor;
  /** Of this monitor, in order of time. */
  readonly samples: readonly Sample[];
  readonly baseline: Readonly<Record<string, number>>;
  /** Since the look before, in milliseconds; null at the first. */
  readonly spanMs: number | null;
  readonly dayMs: number;
}

/**
 * Alerts and metrics without enough data, and one line a metric. No matrix: nothing rolls back by itself any
 * more.
 */
export function judgeAfterwards({ name, monitor, samples, baseline, spanMs, dayMs }: Look): {
  readonly troubles: readonly string[];
  readonly lines: readonly string[];
} {
  const times = samples.map(({ at }) => at);
  const now = Math.max(0, ...times);
  const days = spanMs === null ? 1 : Math.max(1, spanMs / dayMs);
  const rules: Rules = {
    observation: { forMs: Number.MAX_SAFE_INTEGER, everyMs: 1, gapMs: Number.MAX_SAFE_INTEGER },
    monitors: { [name]: atOnce(monitor, now - Math.min(now, ...times)) },
    dayMs,
  };
  const judged = takeSamples(
    rules,
    newSoak(baseline),
    samples.map((sample) => aDay(monitor, sample, days)),
  );
  // The first look at counters has nothing to count from; a later one without a number has lost it.
  const lost =
    spanMs === null
      ? []
      : Object.keys(monitor.metrics).filter((metric) => !samples.some((sample) => sample.metric === metric));
  return {
    troubles: [
      ...breaches(rules, judged, now).map(({ text }) => text),
      ...lost.map((metric) => `${name}/${metric} has too few samples`),
    ],
    lines: Object.keys(monitor.metrics).map(
      (metric) =>
        `${name}/${metric}: ${samples.findLast((sample) => sample.metric === metric)?.value ?? 'no metric'}`,
    ),
  };
}

/** What a limit allows a day is held against the mean of the days that have passed. */
function aDay(monitor: Monitor, sample: Sample, days: number): Sample {
  const { objective, alert } = monitor.metrics[sample.metric] ?? {};
  const perDay = alert?.perDay === true || objective?.perDay === true;
  return perDay && sample.value !== null && countsSince(monitor.read)
    ? { ...sample, value: sample.value / days }
    : sample;
}

/** A limit that must last lasts through all metrics of this look. */
function atOnce(monitor: Monitor, lastedMs: number): Monitor {
  const short = (limit: Limit): Limit =>
    limit.forMs === undefined ? limit : { ...limit, forMs: Math.min(limit.forMs, lastedMs) };
  const metrics = Object.entries(monitor.metrics).map(([id, metric]): [string, Metric] => [
    id,
    {
      ...metric,
      ...(metric.objective && { objective: short(metric.objective) }),
      ...(metric.alert && { alert: short(metric.alert) }),
    },
  ]);
  return { ...monitor, metrics: Object.fromEntries(metrics) };
}
