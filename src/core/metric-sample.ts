// One more number of a metric: its figures, and whether alert and objective are met.
import type { Limit, Metric } from './plan/plan.ts';
import type { MetricState, Rules, Sample, SoakState } from './soak-state.ts';

/** The state travels with every slice. */
const LONGEST_ABOUT = 400;

/** The state of one metric with one more number in it; thin data is inconclusive, whatever the number. */
export function counted(
  rules: Rules,
  soak: SoakState,
  spec: Metric,
  state: MetricState,
  sample: Sample,
): MetricState {
  const value = sample.value ?? 0;
  const unmeasured = (limit: Limit | undefined) =>
    limit?.ofBaseline === true && soak.baseline[`${sample.monitor}/${sample.metric}`] === undefined;
  const thin =
    (spec.samples !== undefined && (sample.samples ?? 0) < spec.samples) ||
    unmeasured(spec.alert) ||
    unmeasured(spec.objective);
  const judged: MetricState = {
    ...state,
    ...figuresWith(rules, spec, state, sample),
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

/** Count, range, sum and sums by the hour, with this number in them. */
function figuresWith(rules: Rules, spec: Metric, state: MetricState, sample: Sample) {
  const value = sample.value ?? 0;
  return {
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

/**
 * A target says where a value should be, an alert where it must not be; without its baseline neither can be
 * judged.
 */
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
