// `--pace 7d=60s` divides only what is observed or waited for; never timeouts, deadlines or expiry.
import type { EnvironmentPlan, Limit, MatrixRow, Monitor, Observation } from './plan/plan.ts';

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

export function paceEnvironment(
  environment: Named,
  pace: Pace | null,
): { environment: Named; dayMs: number } {
  if (!pace) return { environment, dayMs: DAY_MS };
  const { soak, watch, afterwards, window } = environment;
  return {
    dayMs: paced(DAY_MS, pace),
    environment: {
      ...environment,
      ...(soak && { soak: paceObservation(soak, pace) }),
      ...(watch && { watch: paceObservation(watch, pace) }),
      ...(afterwards && {
        afterwards: { ...afterwards, everyMs: Math.max(paced(afterwards.everyMs, pace), LEAST_GAP_MS) },
      }),
      ...(window && {
        window: {
          ...window,
          ...(window.noticeMs !== undefined && { noticeMs: paced(window.noticeMs, pace) }),
        },
      }),
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

/** How long a symptom of a monitor must have lasted; never below what a busy machine may stall. */
export function paceMatrix(matrix: readonly MatrixRow[], pace: Pace | null): readonly MatrixRow[] {
  if (!pace) return matrix;
  return matrix.map((row) =>
    typeof row.when === 'object' && 'monitor' in row.when && row.when.forMs !== undefined
      ? { ...row, when: { ...row.when, forMs: Math.max(paced(row.when.forMs, pace), LEAST_GAP_MS) } }
      : row,
  );
}

/** Monitors with their own cadence and their thresholds' `for`, paced. */
export function paceMonitors(
  monitors: Readonly<Record<string, Monitor>>,
  pace: Pace | null,
): Readonly<Record<string, Monitor>> {
  if (!pace) return monitors;
  const limit = (threshold: Limit): Limit =>
    threshold.forMs === undefined
      ? threshold
      : {
          ...threshold,
          forMs: Math.max(paced(threshold.forMs, pace), LEAST_FOR_CADENCES * LEAST_CADENCE_MS),
        };
  const entries = Object.entries(monitors).map(([name, monitor]) => {
    const metrics = Object.entries(monitor.metrics).map(([id, metric]) => [
      id,
      {
        ...metric,
        ...(metric.objective && { objective: limit(metric.objective) }),
        ...(metric.alert && { alert: limit(metric.alert) }),
      },
    ]);
    const every =
      monitor.everyMs === undefined
        ? {}
        : { everyMs: Math.max(paced(monitor.everyMs, pace), LEAST_CADENCE_MS) };
    return [name, { ...monitor, ...every, metrics: Object.fromEntries(metrics) as Monitor['metrics'] }];
  });
  return Object.fromEntries(entries) as Readonly<Record<string, Monitor>>;
}
