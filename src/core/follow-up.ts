// How one look of a follow-up is judged: alone, because the one before is a week old.
import type { Limit, Meter, Reading } from './plan/plan.ts';
import { breaches, newSoak, type Rules, type Sample, takeSamples } from './soak.ts';

/** Enough to tell a limit with `for` from one slow answer. */
const READS_WITH_FOR = 5;
const MOST_READS = 10;

/** Whether a meter says what happened since its last reading, so that reading it again at once says nothing more. */
export const countsSince = ({ read }: Meter): boolean => 'counters' in read || 'log' in read || ('command' in read && read.since !== undefined);

/** How often one look reads a meter: as often as `in a row` asks, and a few times where a limit must last. */
export function readsOf(meter: Meter): number {
  if (countsSince(meter)) return 1;
  const limits = Object.values(meter.readings).flatMap(({ target, alert }) => [target, alert].filter((limit) => limit !== undefined));
  const reads = limits.map((limit) => (limit.inARow ? limit.value + 1 : limit.forMs === undefined ? 1 : READS_WITH_FOR));
  return Math.min(Math.max(1, ...reads), MOST_READS);
}

export interface Look {
  readonly name: string;
  readonly meter: Meter;
  /** Of this meter, in order of time. */
  readonly samples: readonly Sample[];
  readonly baseline: Readonly<Record<string, number>>;
  /** Since the look before, in milliseconds; null at the first. */
  readonly spanMs: number | null;
  readonly dayMs: number;
}

/** Alerts and readings without enough data, and one line a reading. No matrix: nothing goes back by itself any more. */
export function judgeLook({ name, meter, samples, baseline, spanMs, dayMs }: Look): {
  readonly troubles: readonly string[];
  readonly lines: readonly string[];
} {
  const times = samples.map(({ at }) => at);
  const now = Math.max(0, ...times);
  const days = spanMs === null ? 1 : Math.max(1, spanMs / dayMs);
  const rules: Rules = {
    observation: { forMs: Number.MAX_SAFE_INTEGER, everyMs: 1, gapMs: Number.MAX_SAFE_INTEGER },
    meters: { [name]: atOnce(meter, now - Math.min(now, ...times)) },
    dayMs,
  };
  const judged = takeSamples(
    rules,
    newSoak(baseline),
    samples.map((sample) => aDay(meter, sample, days)),
  );
  // The first look at counters has nothing to count from; a later one without a number has lost it.
  const lost = spanMs === null ? [] : Object.keys(meter.readings).filter((reading) => !samples.some((sample) => sample.reading === reading));
  return {
    troubles: [...breaches(rules, judged, now).map(({ text }) => text), ...lost.map((reading) => `${name}/${reading} has not enough data`)],
    lines: Object.keys(meter.readings).map(
      (reading) => `${name}/${reading}: ${samples.findLast((sample) => sample.reading === reading)?.value ?? 'no reading'}`,
    ),
  };
}

/** What a limit allows a day is held against the mean of the days that have passed. */
function aDay(meter: Meter, sample: Sample, days: number): Sample {
  const { target, alert } = meter.readings[sample.reading] ?? {};
  const perDay = alert?.perDay === true || target?.perDay === true;
  return perDay && sample.value !== null && countsSince(meter) ? { ...sample, value: sample.value / days } : sample;
}

/** A limit that must last lasts through all readings of this look. */
function atOnce(meter: Meter, lastedMs: number): Meter {
  const short = (limit: Limit): Limit => (limit.forMs === undefined ? limit : { ...limit, forMs: Math.min(limit.forMs, lastedMs) });
  const readings = Object.entries(meter.readings).map(([id, reading]): [string, Reading] => [
    id,
    { ...reading, ...(reading.target && { target: short(reading.target) }), ...(reading.alert && { alert: short(reading.alert) }) },
  ]);
  return { ...meter, readings: Object.fromEntries(readings) };
}
