// What a soak or watch knows: samples come in, state travels with every slice, results go out. Types, and how
// it begins.
import type { Monitor, Observation } from './plan/plan.ts';
import type { SignedStatement } from './statements.ts';

/** One number at a time; `value` null when it could not be read. */
export interface Sample {
  readonly monitor: string;
  readonly metric: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly value: number | null;
  /** How many events it speaks for, where the source says. */
  readonly samples?: number;
  /** What the number is about, in words: shown with an alert. */
  readonly about?: string;
}

export interface MetricState {
  readonly read: number;
  readonly missing: number;
  readonly last: number | null;
  readonly least: number | null;
  readonly most: number | null;
  readonly sum: number;
  readonly nonZeroInARow: number;
  readonly alertSince: number | null;
  readonly objectiveSince: number | null;
  readonly inconclusiveSince: number | null;
  /** When the source last answered; a silence since then longer than allowed is a gap. */
  readonly answeredAt: number | null;
  /**
   * `per day` sums by hour of the run, at most 25; none where no limit is per day, because the state travels
   * with every slice.
   */
  readonly hours: readonly { readonly start: number; readonly sum: number }[];
  readonly objectiveMisses: number;
  /** What the last number above zero was about. */
  readonly about?: string;
}

export interface SoakState {
  readonly startedAt: number | null;
  /** Milliseconds by which gaps lengthened the soak. */
  readonly addedMs: number;
  readonly missedGaps: number;
  /** Until when gaps have been added, so that one outage of several monitors is added once. */
  readonly addedUntil: number | null;
  readonly cleanSince: number | null;
  readonly extendedMs: number;
  /** It has passed, and is measured on while people decide: whole slices, no further verdict. */
  readonly passed: boolean;
  readonly baseline: Readonly<Record<string, number>>;
  readonly metrics: Readonly<Record<string, MetricState>>;
  /** `monitor/metric` that people decided to live with, until it clears. */
  readonly acknowledged: readonly string[];
  /** RFC 3339 of the last sample of each monitor. */
  readonly since: Readonly<Record<string, string>>;
  /** Last values of the counters, from which the next deltas are taken. */
  readonly counters: Readonly<Record<string, Counters>>;
  /** How much of the file of readings this state has seen: where a later attempt goes on. */
  readonly bytes: number;
}

/** One row of a counters file. */
export type Counters = Readonly<Record<string, number | string | null>>;

export interface Breach {
  readonly monitor: string;
  readonly metric: string;
  readonly is: 'alert' | 'inconclusive';
  readonly text: string;
  readonly lastedMs: number;
}

export interface ObserveResult {
  readonly state: SoakState;
  readonly breaches: readonly Breach[];
  readonly metrics: number;
  /** Aggregates for people: one line a metric. */
  readonly summary: readonly string[];
  /** Null while it goes on. */
  readonly verdict: SoakVerdict | null;
  /** Signed by this worker where it has passed. */
  readonly statement?: SignedStatement;
}

export type SoakVerdict = 'passed' | 'extension-needed';

export const newSoak = (baseline: Readonly<Record<string, number>> = {}): SoakState => ({
  startedAt: null,
  addedMs: 0,
  missedGaps: 0,
  addedUntil: null,
  cleanSince: null,
  extendedMs: 0,
  passed: false,
  baseline,
  metrics: {},
  acknowledged: [],
  since: {},
  counters: {},
  bytes: 0,
});

export const emptyMetric: MetricState = {
  read: 0,
  missing: 0,
  last: null,
  least: null,
  most: null,
  sum: 0,
  nonZeroInARow: 0,
  alertSince: null,
  objectiveSince: null,
  inconclusiveSince: null,
  answeredAt: null,
  hours: [],
  objectiveMisses: 0,
};

export interface Rules {
  readonly observation: Observation;
  readonly monitors: Readonly<Record<string, Monitor>>;
  readonly dayMs: number;
}
