// Judges a soak or watch: state + metrics → state + verdict. Pure: time comes in with each sample.
import { count } from './count.ts';
import { counted } from './metric-sample.ts';
import {
  type Breach,
  emptyMetric,
  type MetricState,
  type Rules,
  type Sample,
  type SoakState,
  type SoakVerdict,
} from './soak-state.ts';

export { outside } from './metric-sample.ts';
export { newSoak } from './soak-state.ts';
export type { Breach, Counters, ObserveResult, Rules, Sample, SoakState, SoakVerdict } from './soak-state.ts';

/**
 * Takes samples in, in order of time. A gap longer than allowed, and a day with too little to judge, add
 * themselves to the soak and end a clean slice.
 */
export function takeSamples(rules: Rules, state: SoakState, samples: readonly Sample[]): SoakState {
  return samples.reduce((current, sample) => takeSample(rules, notAfter(current, sample.at), sample), state);
}

/**
 * A clock that was set back makes the past lie ahead. Such a moment counts as now: a soak becomes longer,
 * never shorter, and a silence or an alert is counted from here.
 */
function notAfter(state: SoakState, at: number): SoakState {
  const past = (moment: number | null) => (moment === null ? null : Math.min(moment, at));
  return {
    ...state,
    startedAt: past(state.startedAt),
    addedUntil: past(state.addedUntil),
    cleanSince: past(state.cleanSince),
    metrics: Object.fromEntries(
      Object.entries(state.metrics).map(([id, metric]) => [
        id,
        {
          ...metric,
          alertSince: past(metric.alertSince),
          objectiveSince: past(metric.objectiveSince),
          inconclusiveSince: past(metric.inconclusiveSince),
          answeredAt: past(metric.answeredAt),
        },
      ]),
    ),
  };
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

/**
 * A source that answers "too few to judge" through a whole day, or half of a shorter soak, has shown nothing
 * in that time (rule 1).
 */
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

/**
 * Whether the soak has run its length, with its clean days; null while it goes on. No data is never a pass
 * (rule 1).
 */
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
  // A thin reading at the very end wakes nobody, because the next ones may settle it: for as long as a gap
  // may last, or the extension that is given.
  const patienceMs = Math.max(observation.extendMs ?? 0, observation.gapMs);
  return now - state.startedAt >= lengthMs + patienceMs ? 'extension-needed' : null;
}

/**
 * Metrics that keep a soak from passing: never judged, silent now, or in an alert that nobody has decided
 * about.
 */
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
      `${id}: ${count(metric.read, 'sample')}, mean ` +
      `${format(metric.read ? metric.sum / metric.read : null)}, ${format(metric.least)} … ` +
      `${format(metric.most)}${metric.missing ? `, ${metric.missing} missing` : ''}${metric.objectiveMisses ? `, objective missed ${metric.objectiveMisses}×` : ''}`,
  );
}

const format = (value: number | null): string =>
  value === null ? 'no metric' : String(+value.toPrecision(4));
