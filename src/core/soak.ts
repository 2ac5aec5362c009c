// Judges a soak or watch: state + metrics → state + verdict. Pure: time comes in with each sample.
import type { Limit, Monitor, Observation, Metric } from './plan/plan.ts';

/** One number at a time; `value` null when it could not be read. */
export interface Sample {
  readonly monitor: string;
  readonly metric: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly value: number | null;
  /** How many events it speaks for, where the source says. */
  readonly samples?: number;
  /** What the number is about, in words: told with an alert. */
  readonly about?: string;
}

interface MetricState {
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
  /** `per day` sums by hour of the run, at most 25; none where no limit is per day, because the state travels with every slice. */
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
  /** `monitor/reading` that people decided to live with, until it clears. */
  readonly acknowledged: readonly string[];
  /** RFC 3339 of the last sample of each monitor. */
  readonly since: Readonly<Record<string, string>>;
  /** Last values of the counters, from which the next deltas are taken. */
  readonly counters: Readonly<Record<string, Counters>>;
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
});

/** The state travels with every slice. */
const LONGEST_ABOUT = 400;

const emptyMetric: MetricState = {
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

/** Takes samples in, in order of time. A gap longer than allowed, and a day with too little to judge, add themselves to the soak and end a clean slice. */
export function takeSamples(rules: Rules, state: SoakState, samples: readonly Sample[]): SoakState {
  return samples.reduce((current, sample) => takeSample(rules, current, sample), state);
}

function takeSample(rules: Rules, state: SoakState, sample: Sample): SoakState {
  const spec = rules.monitors[sample.monitor]?.metrics[sample.metric];
  if (!spec) return state;
  const id = `${sample.monitor}/${sample.metric}`;
  const before = state.metrics[id] ?? emptyMetric;
  const started = { ...state, startedAt: state.startedAt ?? sample.at };
  const timed = answered(sample) ? afterGap(rules, started, sample, before.answeredAt) : started;
  const after = sample.value === null ? missing(before, sample) : counted(rules, state, spec, before, sample);
  const settled =
    after.inconclusiveSince === null ? afterQuiet(rules, timed, sample, before.inconclusiveSince) : timed;
  const missed = after.objectiveMisses > before.objectiveMisses;
  const cleared = after.alertSince === null && after.inconclusiveSince === null;
  return {
    ...settled,
    acknowledged: cleared ? settled.acknowledged.filter((other) => other !== id) : settled.acknowledged,
    cleanSince: missed ? sample.at : (settled.cleanSince ?? sample.at),
    metrics: { ...settled.metrics, [id]: { ...after, ...(answered(sample) && { answeredAt: sample.at }) } },
  };
}

/** A source that says "of nothing" has answered: its metric is inconclusive, but no gap. */
const answered = (sample: Sample): boolean => sample.value !== null || sample.samples !== undefined;

/** How long a metric may be away; a monitor slower than the soak is due only at its own cadence. */
function allowedMs({ observation, monitors }: Rules, monitor: string): number {
  const everyMs = monitors[monitor]?.everyMs ?? 0;
  return everyMs > observation.everyMs ? everyMs + observation.gapMs : observation.gapMs;
}

function afterGap(
  rules: Rules,
  state: SoakState,
  { monitor, at }: Sample,
  answeredAt: number | null,
): SoakState {
  const since = answeredAt ?? state.startedAt ?? at;
  return at - since <= allowedMs(rules, monitor) ? state : addGap(state, since, at);
}

/** A source that answers "too few to judge" through a whole day, or half of a shorter soak, has shown nothing in that time (rule 1). */
function afterQuiet(
  { observation, dayMs }: Rules,
  state: SoakState,
  { at }: Sample,
  thinSince: number | null,
): SoakState {
  const allowed = Math.min(dayMs, observation.forMs / 2);
  return thinSince === null || at - thinSince <= allowed ? state : addGap(state, thinSince, at);
}

function addGap(state: SoakState, since: number, at: number): SoakState {
  const added = at - Math.max(since, state.addedUntil ?? since);
  return {
    ...state,
    addedMs: state.addedMs + Math.max(0, added),
    addedUntil: Math.max(at, state.addedUntil ?? at),
    missedGaps: state.missedGaps + (since >= (state.addedUntil ?? since) ? 1 : 0),
    cleanSince: at,
  };
}

function missing(state: MetricState, sample: Sample): MetricState {
  return { ...state, missing: state.missing + 1, inconclusiveSince: state.inconclusiveSince ?? sample.at };
}

function counted(
  rules: Rules,
  soak: SoakState,
  spec: Metric,
  state: MetricState,
  sample: Sample,
): MetricState {
  const value = sample.value ?? 0;
  const figures = {
    read: state.read + 1,
    last: value,
    least: Math.min(state.least ?? value, value),
    most: Math.max(state.most ?? value, value),
    sum: state.sum + value,
    nonZeroInARow: value === 0 ? 0 : state.nonZeroInARow + 1,
    ...(sample.about !== undefined && { about: sample.about.slice(0, LONGEST_ABOUT) }),
    hours:
      spec.alert?.perDay || spec.objective?.perDay
        ? addToHour(state.hours, sample.at, value, rules.dayMs)
        : state.hours,
  };
  const unmeasured = (limit: Limit | undefined) =>
    limit?.ofBaseline === true && soak.baseline[`${sample.monitor}/${sample.metric}`] === undefined;
  const thin =
    (spec.samples !== undefined && (sample.samples ?? 0) < spec.samples) ||
    unmeasured(spec.alert) ||
    unmeasured(spec.objective);
  const judged: MetricState = {
    ...state,
    ...figures,
    inconclusiveSince: thin ? (state.inconclusiveSince ?? sample.at) : null,
  };
  if (thin) return judged;
  const id = `${sample.monitor}/${sample.metric}`;
  const measure = (limit: Limit) =>
    limit.inARow
      ? judged.nonZeroInARow
      : limit.perDay
        ? judged.hours.reduce((sum, hour) => sum + hour.sum, 0)
        : value;
  const alertOut =
    spec.alert !== undefined && outside(spec.alert, measure(spec.alert), soak.baseline[id], 'alert');
  const objectiveOut =
    spec.objective !== undefined &&
    outside(spec.objective, measure(spec.objective), soak.baseline[id], 'objective');
  const objectiveSince = objectiveOut ? (state.objectiveSince ?? sample.at) : null;
  const missedObjective =
    objectiveOut && sample.at - (objectiveSince ?? sample.at) >= (spec.objective?.forMs ?? 0);
  return {
    ...judged,
    alertSince: alertOut ? (state.alertSince ?? sample.at) : null,
    objectiveSince,
    objectiveMisses: state.objectiveMisses + (missedObjective ? 1 : 0),
  };
}

function addToHour(
  hours: MetricState['hours'],
  at: number,
  value: number,
  dayMs: number,
): MetricState['hours'] {
  const hour = dayMs / 24;
  const start = Math.floor(at / hour) * hour;
  const kept = hours.filter((entry) => entry.start > at - dayMs - hour);
  const last = kept.at(-1);
  return last?.start === start
    ? [...kept.slice(0, -1), { start, sum: last.sum + value }]
    : [...kept, { start, sum: value }];
}

/** A target says where a value should be, an alert where it must not be; without its baseline neither can be judged. */
export function outside(
  limit: Limit,
  value: number,
  baseline: number | undefined,
  role: 'objective' | 'alert',
): boolean {
  const bound = limit.ofBaseline ? (baseline ?? Number.NaN) * limit.value : limit.value;
  if (Number.isNaN(bound)) return false;
  const holds = {
    above: value > bound,
    below: value < bound,
    'at least': value >= bound,
    'at most': value <= bound,
    exactly: value === bound,
  }[limit.word];
  return role === 'alert' ? holds : !holds;
}

/** What is wrong now, if anything: alerts that lasted long enough, and metrics without enough data. */
export function breaches(rules: Rules, state: SoakState, now: number): readonly Breach[] {
  return Object.entries(rules.monitors).flatMap(([monitor, { metrics }]) =>
    Object.entries(metrics).flatMap(([metric, spec]): Breach[] => {
      if (state.acknowledged.includes(`${monitor}/${metric}`)) return [];
      const current = state.metrics[`${monitor}/${metric}`] ?? emptyMetric;
      const { alert } = spec;
      if (alert && current.alertSince !== null) {
        const lastedMs = now - current.alertSince;
        if (lastedMs >= (alert.forMs ?? 0)) {
          const told = [
            `${monitor}/${metric} is ${format(current.last)}, alert ${alert.text}`,
            current.last ? current.about : undefined,
            spec.advice,
          ].filter(Boolean);
          return [{ monitor, metric, is: 'alert', text: told.join('; '), lastedMs }];
        }
      }
      const silentSince = current.inconclusiveSince;
      if (silentSince === null) return [];
      return [
        {
          monitor,
          metric,
          is: 'inconclusive',
          text: `${monitor}/${metric} has too few samples`,
          lastedMs: now - silentSince,
        },
      ];
    }),
  );
}

/** Whether the soak has run its length, with its clean days; null while it goes on. No data is never a pass (rule 1). */
export function soakVerdict(rules: Rules, state: SoakState, now: number): SoakVerdict | null {
  if (state.startedAt === null || state.passed) return null;
  const { observation, dayMs } = rules;
  const lengthMs = observation.forMs + state.addedMs + state.extendedMs;
  if (now - state.startedAt < lengthMs) return null;
  const clean =
    observation.cleanDays === undefined ||
    (state.cleanSince !== null &&
      now - state.cleanSince >= Math.min(observation.cleanDays * dayMs, observation.forMs));
  if (clean && unsettled(rules, state, now).length === 0) return 'passed';
  // A thin reading at the very end wakes nobody, because the next ones may settle it: for as long as a gap may last, or the extension that is given.
  const patienceMs = Math.max(observation.extendMs ?? 0, observation.gapMs);
  return now - state.startedAt >= lengthMs + patienceMs ? 'extension-needed' : null;
}

/** Metrics that keep a soak from passing: never judged, silent now, or in an alert that nobody has decided about. */
export function unsettled(rules: Rules, state: SoakState, now: number): readonly string[] {
  return Object.entries(rules.monitors).flatMap(([monitor, { metrics }]) =>
    Object.keys(metrics)
      .map((metric) => `${monitor}/${metric}`)
      .filter((id) => {
        const metric = state.metrics[id] ?? emptyMetric;
        if (metric.read === 0 || metric.inconclusiveSince !== null || metric.answeredAt === null) return true;
        if (now - metric.answeredAt > allowedMs(rules, monitor)) return true;
        return metric.alertSince !== null && !state.acknowledged.includes(id);
      }),
  );
}

/** One line a metric, for people and evidence. */
export function summarise(state: SoakState): readonly string[] {
  return Object.entries(state.metrics).map(
    ([id, metric]) =>
      `${id}: ${metric.read} samples, mean ${format(metric.read ? metric.sum / metric.read : null)}, ${format(metric.least)} … ${format(metric.most)}${metric.missing ? `, ${metric.missing} missing` : ''}${metric.objectiveMisses ? `, objective missed ${metric.objectiveMisses}×` : ''}`,
  );
}

const format = (value: number | null): string =>
  value === null ? 'no metric' : String(+value.toPrecision(4));
