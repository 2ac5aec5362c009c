// From the file's words to the trusted plan: units become numbers, what was left out is filled in,
// lists stand where one or several were allowed. Runs only on what the schema accepted, so it never fails.
import type { Gate, Json, Monitor, Observation, Plan, Metric, Service, When } from './plan.ts';
import { toFallback } from './fallbacks/facts.ts';
import { migrators } from './migrators/index.ts';
import { sources } from './monitors/index.ts';
import { restarters } from './restarters/index.ts';
import type { PlanFile } from './schema.ts';
import { unitOf } from './schema-monitors.ts';
import { toStep } from './to-plan-steps.ts';
import { limit, ms, without } from './to-plan-values.ts';
import { filledIn } from './tool.ts';

type EnvironmentFile = PlanFile['environments'][string];
type MonitorFile = NonNullable<PlanFile['monitors']>[string];
type RowFile = PlanFile['matrix'][number];

/** The trusted plan of a file. */
export function toPlan(file: PlanFile): Plan {
  return without<Plan>({
    soakgate: 1,
    service: file.service,
    summary: file.summary,
    kind: file.kind,
    claims:
      file.claims &&
      without({
        downtime: file.claims.downtime === undefined ? undefined : limit(file.claims.downtime, 'duration'),
        reversible: file.claims.reversible,
      }),
    // Left out, they are no part of the plan's hash: a worker of today reads what an older one has signed
    // for.
    contacts: file.contacts,
    links: file.links,
    protections: file.protections,
    release: without<Plan['release']>({ ...file.release, install: file.release.install ?? [] }),
    commands: { path: file.commands?.path ?? [], env: (file.commands?.env ?? {}) as Plan['commands']['env'] },
    migrations: file.migrations && toMigrations(file.migrations),
    environments: Object.entries(file.environments).map(([name, environment]) =>
      toEnvironment(name, environment),
    ),
    steps: file.steps.map(toStep),
    monitors: mapValues(file.monitors, toMonitor),
    gate: mapValues(file.gate, toGate),
    fallbacks: mapValues(file.fallbacks, toFallback),
    matrix: file.matrix.map(toRow),
  });
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>> | undefined,
  change: (value: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record ?? {}).map(([key, value]) => [key, change(value)]));
}

const toolOf = <Tool extends { readonly key: string }>(family: Readonly<Record<string, Tool>>, key: string) =>
  Object.values(family).find((tool) => tool.key === key);

function toMigrations(file: NonNullable<PlanFile['migrations']>): NonNullable<Plan['migrations']> {
  const [tool, { pending, ...options }] = Object.entries(file)[0] as [string, { pending: string[] }];
  return { tool, pending, options: filledIn(toolOf(migrators, tool), options) };
}

function toEnvironment(name: string, file: EnvironmentFile): Plan['environments'][number] {
  const { maintenance, window } = file;
  return without<Plan['environments'][number]>({
    name,
    url: file.url,
    services: (file.services ?? []).map(toService),
    soak: file.soak && toObservation(file.soak),
    watch: file.watch && toObservation(file.watch),
    afterwards:
      file['afterwards'] &&
      without({ everyMs: ms(file['afterwards'].every), monitors: file['afterwards'].monitors }),
    maintenance:
      maintenance &&
      without({
        flagFile: maintenance['flag-file'],
        answers: maintenance.answers ?? 503,
        inside: maintenance.inside,
        health: maintenance.health ?? '/',
      }),
    rollback: file['rollback'],
    window:
      window &&
      without({
        opens: window.opens,
        zone: window.zone,
        lengthMs: ms(window.length),
        noticeMs: window.notice === undefined ? undefined : ms(window.notice),
      }),
  });
}

function toService({ name, ...tools }: NonNullable<EnvironmentFile['services']>[number]): Service {
  const [tool, options] = Object.entries(tools)[0] as [string, Record<string, Json>];
  return { name, tool, options: filledIn(toolOf(restarters, tool), options) };
}

function toObservation(file: NonNullable<EnvironmentFile['soak']>): Observation {
  return without<Observation>({
    forMs: ms(file.for),
    everyMs: ms(file.every),
    gapMs: ms(file.gap),
    cleanDays: file['clean-days'],
    extendMs: file.extend === undefined ? undefined : ms(file.extend),
  });
}

function toMonitor(file: MonitorFile): Monitor {
  return without<Monitor>({
    read: toRead(file.read),
    everyMs: file.every === undefined ? undefined : ms(file.every),
    metrics: mapValues(file.metrics, toMetric),
  });
}

function toRead(file: MonitorFile['read']): Monitor['read'] {
  const written: Readonly<Record<string, unknown>> = file;
  const source = Object.values(sources).find(({ key }) => written[key] !== undefined);
  if (!source) throw new RangeError('a monitor has no source, though its form was accepted');
  const read = source.toRead as (form: unknown, beside: typeof written) => Monitor['read'];
  return read(written[source.key], written);
}

function toMetric(file: MonitorFile['metrics'][string]): Metric {
  const place = { metric: unitOf(file.unit, file.of) };
  return without<Metric>({
    at: file.at,
    of: file.of,
    unit: file.unit,
    objective: file.objective === undefined ? undefined : limit(file.objective, place),
    alert: file.alert === undefined ? undefined : limit(file.alert, place),
    samples: file.samples,
    advice: file.advice,
  });
}

function toGate(file: NonNullable<PlanFile['gate']>[string]): Gate {
  return without<Gate>({
    sealed: file.sealed ?? [],
    beforeDeploying: file['before-deploying'] ?? [],
    attested: file.attested ?? [],
    approved: file.approved && { roles: file.approved.roles, withinMs: ms(file.approved.within) },
  });
}

function toRow(file: RowFile): Plan['matrix'][number] {
  return without<Plan['matrix'][number]>({
    when: toWhen(file.when),
    do: file.do,
    ask: file.ask,
    unanswered: file.unanswered && { afterMs: ms(file.unanswered.after), do: file.unanswered.do },
    severity: file.severity ?? 'medium',
  });
}

function toWhen(file: RowFile['when']): When {
  if (file === 'rest') return 'rest';
  const { for: lasting, ...when } = file;
  return without<Exclude<When, 'rest'>>({
    ...when,
    forMs: lasting === undefined ? undefined : ms(lasting),
  } as Exclude<When, 'rest'>);
}
