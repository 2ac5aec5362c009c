// `--pace 7d=60s` divides only what is observed or waited for; never timeouts, deadlines or expiry (DESIGN §5).
import type { EnvironmentPlan, Limit, MatrixRow, Meter, Observation } from './plan/plan.ts';

/** `nominalMs` of the plan pass in `realMs`. */
export interface Pace {
  readonly nominalMs: number;
  readonly realMs: number;
}

export const DAY_MS = 86_400_000;
const LEAST_CADENCE_MS = 250;
const LEAST_GAP_CADENCES = 4;
/** A busy machine's hiccups do not compress. Decision 0006. */
const LEAST_GAP_MS = 3_000;
const LEAST_FOR_CADENCES = 2;

/** A nominal length as it really passes. */
export function paced(nominalMs: number, pace: Pace | null): number {
  return pace ? Math.round((nominalMs * pace.realMs) / pace.nominalMs) : nominalMs;
}

type Named = EnvironmentPlan & { readonly name: string };

export function paceEnvironment(environment: Named, pace: Pace | null): { environment: Named; dayMs: number } {
  if (!pace) return { environment, dayMs: DAY_MS };
  const { soak, watch, followUp, window } = environment;
  return {
    dayMs: paced(DAY_MS, pace),
    environment: {
      ...environment,
      ...(soak && { soak: paceObservation(soak, pace) }),
      ...(watch && { watch: paceObservation(watch, pace) }),
      ...(followUp && { followUp: { ...followUp, everyMs: Math.max(paced(followUp.everyMs, pace), LEAST_GAP_MS) } }),
      ...(window && { window: { ...window, ...(window.noticeMs !== undefined && { noticeMs: paced(window.noticeMs, pace) }) } }),
    },
  };
}

function paceObservation(observation: Observation, pace: Pace): Observation {
  const everyMs = Math.max(paced(observation.everyMs, pace), LEAST_CADENCE_MS);
  return {
    ...observation,
    forMs: paced(observation.forMs, pace),
    everyMs,
    gapMs: Math.max(paced(observation.gapMs, pace), LEAST_GAP_CADENCES * everyMs, LEAST_GAP_MS),
    ...(observation.extendMs !== undefined && { extendMs: paced(observation.extendMs, pace) }),
  };
}

/** How long a symptom of a meter must have lasted; never below what a busy machine may stall. */
export function paceMatrix(matrix: readonly MatrixRow[], pace: Pace | null): readonly MatrixRow[] {
  if (!pace) return matrix;
  return matrix.map((row) =>
    typeof row.when === 'object' && 'meter' in row.when && row.when.forMs !== undefined
      ? { ...row, when: { ...row.when, forMs: Math.max(paced(row.when.forMs, pace), LEAST_GAP_MS) } }
      : row,
  );
}

/** Meters with their own cadence and their bands' `for`, paced. */
export function paceMeters(meters: Readonly<Record<string, Meter>>, pace: Pace | null): Readonly<Record<string, Meter>> {
  if (!pace) return meters;
  const limit = (band: Limit): Limit =>
    band.forMs === undefined ? band : { ...band, forMs: Math.max(paced(band.forMs, pace), LEAST_FOR_CADENCES * LEAST_CADENCE_MS) };
  const entries = Object.entries(meters).map(([name, meter]) => {
    const readings = Object.entries(meter.readings).map(([id, reading]) => [
      id,
      { ...reading, ...(reading.target && { target: limit(reading.target) }), ...(reading.alert && { alert: limit(reading.alert) }) },
    ]);
    const every = meter.everyMs === undefined ? {} : { everyMs: Math.max(paced(meter.everyMs, pace), LEAST_CADENCE_MS) };
    return [name, { ...meter, ...every, readings: Object.fromEntries(readings) as Meter['readings'] }];
  });
  return Object.fromEntries(entries) as Readonly<Record<string, Meter>>;
}
