// Rules about what is observed: addresses, soak and watch, meters, bands and the baseline they refer to.
import { quote, type Remark, unknownName } from './complaint.ts';
import { asksOverHttp, type PlanLine, perEnvironment } from './lint-lines.ts';
import { nearestHint } from './nearest.ts';
import type { Limit, Meter, MeterRead, Plan } from './plan.ts';

const HTTP_READINGS = ['failures', 'latency', 'status'];
const SESSION_READINGS = ['slow', 'waiting', 'unindexed'];

/** Whoever is asked over HTTP has an address. */
export function addressesAreKnown(plan: Plan): readonly Remark[] {
  const meter = Object.entries(plan.meters).find(([, { read }]) => 'http' in read)?.[0];
  return plan.environments.flatMap((environment) => {
    if (environment.url !== undefined) return [];
    const step = plan.steps.find((candidate) => (!candidate.in || candidate.in.includes(environment.name)) && asksOverHttp(candidate));
    const observed = environment.soak ?? environment.watch;
    const by = step ? `step ${step.step}` : observed && meter !== undefined ? `meter ${meter}` : undefined;
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

/** Every environment is observed: a soak before the next gate, a watch or soak at the end; by at least one meter. */
export function observationJudges(plan: Plan): readonly Remark[] {
  const remarks = plan.environments.flatMap((environment, place): readonly Remark[] => {
    const path = ['environments', environment.name];
    const next = plan.environments[place + 1];
    const { soak, watch } = environment;
    if (!next && !soak && !watch)
      return [
        { path, at: 'key', message: 'the last environment has neither watch nor soak', hint: 'e.g. watch: { for: 24h, every: 1m, gap: at most 5m }' },
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
      return [{ path: [...path, 'watch'], at: 'key', message: 'the last environment has a soak and a watch', hint: 'keep one of them' }];
    return [soak, watch].flatMap((observation, at) => (observation ? lengths([...path, at ? 'watch' : 'soak'], observation) : []));
  });
  if (Object.keys(plan.meters).length || !plan.environments.some(({ soak, watch }) => soak ?? watch)) return remarks;
  return [
    ...remarks,
    {
      path: ['meters'],
      message: 'is missing, so a soak would judge nothing',
      hint: 'e.g. meters: { site: { read: { http: { get: /health } }, readings: { failures: { target: exactly 0, alert: above 2 in a row } } } }',
    },
  ];
}

/** A follow-up looks at meters that there are, where nothing comes after it. */
export function followUpsCanLook(plan: Plan): readonly Remark[] {
  const known = Object.keys(plan.meters);
  return plan.environments.flatMap(({ name, followUp }, place): readonly Remark[] => {
    if (!followUp) return [];
    const path = ['environments', name, 'follow-up'];
    if (place < plan.environments.length - 1)
      return [
        {
          path,
          at: 'key',
          message: `is never begun: ${plan.environments[place + 1]!.name} comes after it`,
          hint: 'it belongs to the last environment',
        },
      ];
    const nothing: readonly Remark[] = followUp.everyMs > 0 ? [] : [{ path: [...path, 'every'], message: 'is nothing', hint: 'e.g. every: 7d' }];
    return [
      ...nothing,
      ...(followUp.meters ?? []).flatMap((meter, at) => (known.includes(meter) ? [] : [unknownName([...path, 'meters', at], 'meter', meter, known)])),
    ];
  });
}

function lengths(
  path: readonly string[],
  { forMs, everyMs, gapMs, cleanDays }: NonNullable<Plan['environments'][number]['soak']>,
): readonly Remark[] {
  const remarks: Remark[] = [];
  if (everyMs <= 0 || forMs <= 0)
    remarks.push({ path: [...path, everyMs <= 0 ? 'every' : 'for'], message: 'is nothing', hint: 'e.g. every: 1m, for: 7d' });
  else if (everyMs > forMs) remarks.push({ path: [...path, 'every'], message: 'is longer than the whole', hint: 'e.g. every: 1m' });
  if (gapMs < everyMs)
    remarks.push({
      path: [...path, 'gap'],
      message: 'is shorter than the time between two readings',
      hint: 'allow a few of them, e.g. gap: at most 5m',
    });
  if (cleanDays !== undefined && cleanDays * 86_400_000 > forMs)
    remarks.push({ path: [...path, 'clean-days'], message: `${cleanDays} days do not fit into it`, hint: 'a soak has at least as many days' });
  return remarks;
}

/** The readings that a source has by itself; null where they are read from what it prints. */
function givenBy(read: MeterRead): { readonly what: string; readonly given: readonly string[] | null } {
  if ('http' in read) return { what: 'HTTP', given: HTTP_READINGS };
  if ('sessions' in read) return { what: 'sessions', given: SESSION_READINGS };
  return 'log' in read ? { what: 'a log', given: Object.keys(read.log.lines) } : { what: '', given: null };
}

/** Some sources give their readings by themselves; others are read from what they print. */
export function metersGiveReadings(plan: Plan): readonly Remark[] {
  return Object.entries(plan.meters).flatMap(([name, { read, readings }]) =>
    Object.entries(readings).flatMap(([id, { at, of }]): readonly Remark[] => {
      const path = ['meters', name, 'readings', id];
      const { what, given } = givenBy(read);
      if (given && at === undefined && !given.includes(id))
        return [
          {
            path,
            at: 'key',
            message: `a meter over ${what} has no reading ${quote(id)}`,
            hint: nearestHint(id, given) ?? `it has: ${given.join(', ')}`,
          },
        ];
      if ('command' in read && at === undefined)
        return [
          {
            path: [...path, 'at'],
            message: 'is missing: where in what the command prints does it stand',
            hint: 'a JSON pointer, e.g. at: /health_score',
          },
        ];
      if (of !== undefined && !('counters' in read))
        return [{ path: [...path, 'of'], at: 'key', message: 'goes with counters only', hint: 'read: { counters: meters/database.sql }' }];
      return [];
    }),
  );
}

/** Target and alert of a reading look the same way, the alert farther out. */
export function bandsAgree(plan: Plan): readonly Remark[] {
  return Object.entries(plan.meters).flatMap(([name, { readings }]) =>
    Object.entries(readings).flatMap(([id, { target, alert }]) =>
      target && alert && contradict(target, alert)
        ? [
            {
              path: ['meters', name, 'readings', id, 'alert'],
              message: `"${alert.text}" is raised where the target "${target.text}" is met`,
              hint: 'an alert lies beyond the target, e.g. target: at least 95%, alert: below 90%',
            },
          ]
        : [],
    ),
  );
}

function contradict(target: Limit, alert: Limit): boolean {
  if (target.ofBaseline !== alert.ofBaseline || target.perDay !== alert.perDay || target.inARow !== alert.inARow) return false;
  const low = target.word === 'at least' || target.word === 'above';
  const high = target.word === 'at most' || target.word === 'below';
  const alertLow = alert.word === 'below' || alert.word === 'at most';
  const alertHigh = alert.word === 'above' || alert.word === 'at least';
  if (low) return alertHigh || (alertLow && alert.value > target.value);
  return high && (alertLow || (alertHigh && alert.value < target.value));
}

/** `of baseline` needs a figure that the baseline takes. */
export function baselinesAreTaken(plan: Plan): readonly Remark[] {
  return perEnvironment(plan, (environment, lines) => {
    const place = lines.findIndex(({ step }) => 'baseline' in step);
    const measured = measuredPaths(lines[place]);
    const observed = environment.soak ?? environment.watch;
    return [
      ...lines.flatMap((line, at) => checkRemarks(line, place !== -1 && place < at, measured)),
      ...(observed ? Object.entries(plan.meters).flatMap(([name, meter]) => meterRemarks(name, meter, place !== -1, measured)) : []),
    ];
  });
}

function measuredPaths(line: PlanLine | undefined): readonly string[] {
  return line && 'baseline' in line.step ? (line.step.baseline.http?.get ?? []) : [];
}

function checkRemarks({ at, step }: PlanLine, taken: boolean, measured: readonly string[]): readonly Remark[] {
  if (!('check' in step) || !('http' in step.check) || !step.check.http.mean?.ofBaseline) return [];
  const path = ['steps', at, 'check', 'http', 'mean'];
  if (!taken) return [noBaseline(path)];
  const missing = step.check.http.get.filter((page) => !measured.includes(page));
  return missing.length
    ? [{ path, message: `the baseline does not measure ${missing.join(', ')}`, hint: 'add it to the get of the baseline step' }]
    : [];
}

function meterRemarks(name: string, { read, readings }: Meter, taken: boolean, measured: readonly string[]): readonly Remark[] {
  return Object.entries(readings).flatMap(([id, reading]) =>
    (['target', 'alert'] as const).flatMap((key) => {
      if (!reading[key]?.ofBaseline) return [];
      const path = ['meters', name, 'readings', id, key];
      if (!taken) return [noBaseline(path)];
      return 'http' in read && !measured.includes(read.http.get)
        ? [{ path, message: `the baseline does not measure ${read.http.get}`, hint: 'add it to the get of the baseline step' }]
        : [];
    }),
  );
}

const noBaseline = (path: readonly (string | number)[]): Remark => ({
  path,
  message: 'no step takes a baseline before it',
  hint: 'add a step: - { step: baseline, baseline: { http: { get: [/] } } }',
});
