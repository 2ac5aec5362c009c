// Rules about what is observed: addresses, soak and watch, monitors, thresholds and the baseline they refer
// to.
import { quote, type Remark, unknownName } from './complaint.ts';
import { type PlanLine, perEnvironment } from './lint-lines.ts';
import { nearestHint } from './nearest.ts';
import { givesRatios, measuredPath, metricsGiven, needsPlaces, readsOverHttp } from './monitors/facts.ts';
import type { Limit, Monitor, Plan, PlanStep } from './plan.ts';
import { asksOverHttp } from './steps/facts.ts';

/** Whoever is asked over HTTP has an address. */
export function addressesAreKnown(plan: Plan): readonly Remark[] {
  const monitor = Object.entries(plan.monitors).find(([, { read }]) => readsOverHttp(read))?.[0];
  return plan.environments.flatMap((environment) => {
    if (environment.url !== undefined) return [];
    const step = plan.steps.find(
      (candidate) => (!candidate.in || candidate.in.includes(environment.name)) && asksOverHttp(candidate),
    );
    const observed = environment.soak ?? environment.watch;
    const by = step
      ? `step ${step.step}`
      : observed && monitor !== undefined
        ? `monitor ${monitor}`
        : undefined;
    return by === undefined
      ? []
      : [
          {
            path: ['environments', environment.name, 'url'],
            message: `is missing, and ${by} asks over HTTP`,
            hint: 'e.g. url: https://tg.example.org',
          },
        ];
  });
}

/**
 * Every environment is observed: a soak before the next gate, a watch or soak at the end; by at least one
 * monitor.
 */
export function observationJudges(plan: Plan): readonly Remark[] {
  const remarks = plan.environments.flatMap((environment, place) =>
    observationRemarks(environment, plan.environments[place + 1]),
  );
  if (Object.keys(plan.monitors).length || !plan.environments.some(({ soak, watch }) => soak ?? watch))
    return remarks;
  return [
    ...remarks,
    {
      path: ['monitors'],
      message: 'is missing, so a soak would judge nothing',
      hint:
        'e.g. monitors: { site: { read: { http: { get: /health } }, metrics: { failures: { objective: ' +
        'exactly 0, alert: above 2 in a row } } } }',
    },
  ];
}

type Environment = Plan['environments'][number];

/** A soak where a gate comes next, a watch or a soak at the end, and no second one. */
function observationRemarks(environment: Environment, next: Environment | undefined): readonly Remark[] {
  const path = ['environments', environment.name];
  const { soak, watch } = environment;
  if (!next && !soak && !watch)
    return [
      {
        path,
        at: 'key',
        message: 'the last environment has neither watch nor soak',
        hint: 'e.g. watch: { for: 24h, every: 1m, gap: at most 5m }',
      },
    ];
  if (next && !soak)
    return [
      {
        path,
        at: 'key',
        message: `has no soak, so the gate of ${next.name} has nothing to judge`,
        hint: 'e.g. soak: { for: 7d, every: 1m, gap: at most 5m }',
      },
    ];
  if (next && watch)
    return [
      {
        path: [...path, 'watch'],
        at: 'key',
        message: `is never read: ${next.name} comes after it`,
        hint: 'a watch belongs to the last environment; this one has its soak',
      },
    ];
  if (soak && watch)
    return [
      {
        path: [...path, 'watch'],
        at: 'key',
        message: 'the last environment has a soak and a watch',
        hint: 'keep one of them',
      },
    ];
  return [soak, watch].flatMap((observation, at) =>
    observation ? lengths([...path, at ? 'watch' : 'soak'], observation) : [],
  );
}

/** A post-deployment checks looks at monitors that there are, where nothing comes after it. */
export function afterwardsCanLook(plan: Plan): readonly Remark[] {
  const known = Object.keys(plan.monitors);
  return plan.environments.flatMap(({ name, afterwards }, place): readonly Remark[] => {
    if (!afterwards) return [];
    const path = ['environments', name, 'afterwards'];
    if (place < plan.environments.length - 1)
      return [
        {
          path,
          at: 'key',
          message: `is never begun: ${plan.environments[place + 1]!.name} comes after it`,
          hint: 'it belongs to the last environment',
        },
      ];
    const nothing: readonly Remark[] =
      afterwards.everyMs > 0
        ? []
        : [{ path: [...path, 'every'], message: 'is nothing', hint: 'e.g. every: 7d' }];
    return [
      ...nothing,
      ...(afterwards.monitors ?? []).flatMap((monitor, at) =>
        known.includes(monitor) ? [] : [unknownName([...path, 'monitors', at], 'monitor', monitor, known)],
      ),
    ];
  });
}

function lengths(
  path: readonly string[],
  { forMs, everyMs, gapMs, cleanDays }: NonNullable<Plan['environments'][number]['soak']>,
): readonly Remark[] {
  const remarks: Remark[] = [];
  if (everyMs <= 0 || forMs <= 0)
    remarks.push({
      path: [...path, everyMs <= 0 ? 'every' : 'for'],
      message: 'is nothing',
      hint: 'e.g. every: 1m, for: 7d',
    });
  else if (everyMs > forMs)
    remarks.push({ path: [...path, 'every'], message: 'is longer than the whole', hint: 'e.g. every: 1m' });
  if (gapMs < everyMs)
    remarks.push({
      path: [...path, 'gap'],
      message: 'is shorter than the time between two metrics',
      hint: 'allow a few of them, e.g. gap: at most 5m',
    });
  if (cleanDays !== undefined && cleanDays * 86_400_000 > forMs)
    remarks.push({
      path: [...path, 'clean-days'],
      message: `${cleanDays} days do not fit into it`,
      hint: 'a soak has at least as many days',
    });
  return remarks;
}

/** Some sources give their metrics by themselves; others are read from what they print. */
export function monitorsGiveMetrics(plan: Plan): readonly Remark[] {
  return Object.entries(plan.monitors).flatMap(([name, { read, metrics }]) =>
    Object.entries(metrics).flatMap(([id, { at, of }]): readonly Remark[] => {
      const path = ['monitors', name, 'metrics', id];
      const given = metricsGiven(read);
      if (given && at === undefined && !given.metrics.includes(id))
        return [
          {
            path,
            at: 'key',
            message: `a monitor over ${given.over} has no metric ${quote(id)}`,
            hint: nearestHint(id, given.metrics) ?? `it has: ${given.metrics.join(', ')}`,
          },
        ];
      if (needsPlaces(read) && at === undefined)
        return [
          {
            path: [...path, 'at'],
            message: 'is missing: where in what the command prints does it stand',
            hint: 'a JSON pointer, e.g. at: /health_score',
          },
        ];
      if (of !== undefined && !givesRatios(read))
        return [
          {
            path: [...path, 'of'],
            at: 'key',
            message: 'goes with counters only',
            hint: 'read: { counters: monitors/database.sql }',
          },
        ];
      return [];
    }),
  );
}

/** Target and alert of a metric look the same way, the alert farther out. */
export function thresholdsAgree(plan: Plan): readonly Remark[] {
  return Object.entries(plan.monitors).flatMap(([name, { metrics }]) =>
    Object.entries(metrics).flatMap(([id, { objective, alert }]) =>
      objective && alert && contradict(objective, alert)
        ? [
            {
              path: ['monitors', name, 'metrics', id, 'alert'],
              message: `"${alert.text}" is raised where the objective "${objective.text}" is met`,
              hint: 'an alert lies beyond the objective, e.g. objective: at least 95%, alert: below 90%',
            },
          ]
        : [],
    ),
  );
}

function contradict(objective: Limit, alert: Limit): boolean {
  if (
    objective.ofBaseline !== alert.ofBaseline ||
    objective.perDay !== alert.perDay ||
    objective.inARow !== alert.inARow
  )
    return false;
  const low = objective.word === 'at least' || objective.word === 'above';
  const high = objective.word === 'at most' || objective.word === 'below';
  const alertLow = alert.word === 'below' || alert.word === 'at most';
  const alertHigh = alert.word === 'above' || alert.word === 'at least';
  if (low) return alertHigh || (alertLow && alert.value > objective.value);
  return high && (alertLow || (alertHigh && alert.value < objective.value));
}

/** `of baseline` needs a figure that the baseline takes. */
export function baselinesAreTaken(plan: Plan): readonly Remark[] {
  return perEnvironment(plan, (environment, lines) => {
    const place = lines.findIndex(({ step }) => 'baseline' in step);
    const measured = measuredPaths(lines[place]);
    const observed = environment.soak ?? environment.watch;
    return [
      ...lines.flatMap((line, at) => checkRemarks(line, place !== -1 && place < at, measured)),
      ...(observed
        ? Object.entries(plan.monitors).flatMap(([name, monitor]) =>
            monitorRemarks(name, monitor, place !== -1, measured),
          )
        : []),
    ];
  });
}

function measuredPaths(line: PlanLine<PlanStep> | undefined): readonly string[] {
  return line && 'baseline' in line.step ? (line.step.baseline.http?.get ?? []) : [];
}

function checkRemarks(
  { at, step }: PlanLine<PlanStep>,
  taken: boolean,
  measured: readonly string[],
): readonly Remark[] {
  if (!('check' in step) || !('http' in step.check) || !step.check.http.mean?.ofBaseline) return [];
  const path = ['steps', at, 'check', 'http', 'mean'];
  if (!taken) return [noBaseline(path)];
  const missing = step.check.http.get.filter((page) => !measured.includes(page));
  return missing.length
    ? [
        {
          path,
          message: `the baseline does not measure ${missing.join(', ')}`,
          hint: 'add it to the get of the baseline step',
        },
      ]
    : [];
}

function monitorRemarks(
  name: string,
  { read, metrics }: Monitor,
  taken: boolean,
  measured: readonly string[],
): readonly Remark[] {
  return Object.entries(metrics).flatMap(([id, metric]) =>
    (['objective', 'alert'] as const).flatMap((key) => {
      if (!metric[key]?.ofBaseline) return [];
      const path = ['monitors', name, 'metrics', id, key];
      if (!taken) return [noBaseline(path)];
      const page = measuredPath(read);
      return page !== undefined && !measured.includes(page)
        ? [
            {
              path,
              message: `the baseline does not measure ${page}`,
              hint: 'add it to the get of the baseline step',
            },
          ]
        : [];
    }),
  );
}

const noBaseline = (path: readonly (string | number)[]): Remark => ({
  path,
  message: 'no step takes a baseline before it',
  hint: 'add a step: - { step: baseline, baseline: { http: { get: [/] } } }',
});
