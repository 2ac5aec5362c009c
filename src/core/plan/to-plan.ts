// From the file's words to the trusted plan: units become numbers, what was left out is filled in,
// lists stand where one or several were allowed. Runs only on what the schema accepted, so it never fails.
import type { Gate, Json, Meter, Observation, Plan, Reading, Route, Service, When } from './plan.ts';
import type { PlanFile } from './schema.ts';
import { unitOf } from './schema-meters.ts';
import { toStep } from './to-plan-steps.ts';
import { limit, ms, without } from './to-plan-values.ts';
import { migrators, optionsOf, restarters } from './tools.ts';

type EnvironmentFile = PlanFile['environments'][string];
type MeterFile = NonNullable<PlanFile['meters']>[string];
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
    // Left out, they are no part of the plan's hash: a worker of today reads what an older one has signed for.
    contacts: file.contacts,
    links: file.links,
    protections: file.protections,
    release: without<Plan['release']>({ ...file.release, install: file.release.install ?? [] }),
    commands: { path: file.commands?.path ?? [], env: (file.commands?.env ?? {}) as Plan['commands']['env'] },
    migrations: file.migrations && toMigrations(file.migrations),
    environments: Object.entries(file.environments).map(([name, environment]) => toEnvironment(name, environment)),
    steps: file.steps.map(toStep),
    meters: mapValues(file.meters, toMeter),
    gate: mapValues(file.gate, toGate),
    routes: mapValues(file.routes, toRoute),
    matrix: file.matrix.map(toRow),
  });
}

function mapValues<From, To>(record: Readonly<Record<string, From>> | undefined, change: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record ?? {}).map(([key, value]) => [key, change(value)]));
}

function toMigrations(file: NonNullable<PlanFile['migrations']>): NonNullable<Plan['migrations']> {
  const [tool, { pending, ...options }] = Object.entries(file)[0] as [string, { pending: string[] }];
  return { tool, pending, options: optionsOf(migrators, tool, options) };
}

function toEnvironment(name: string, file: EnvironmentFile): Plan['environments'][number] {
  const { maintenance, window } = file;
  return without<Plan['environments'][number]>({
    name,
    url: file.url,
    services: (file.services ?? []).map(toService),
    soak: file.soak && toObservation(file.soak),
    watch: file.watch && toObservation(file.watch),
    followUp: file['follow-up'] && without({ everyMs: ms(file['follow-up'].every), meters: file['follow-up'].meters }),
    maintenance: maintenance && without({ flagFile: maintenance['flag-file'], answers: maintenance.answers ?? 503, inside: maintenance.inside }),
    wayBack: file['way-back'],
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
  return { name, tool, options: optionsOf(restarters, tool, options) };
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

function toMeter(file: MeterFile): Meter {
  return without<Meter>({
    read: toRead(file.read),
    everyMs: file.every === undefined ? undefined : ms(file.every),
    readings: mapValues(file.readings, toReading),
  });
}

function toRead({ command, since, sql, counters, http, log, sessions }: MeterFile['read']): Meter['read'] {
  if (command) return without<Extract<Meter['read'], { command: unknown }>>({ command, since });
  if (sql !== undefined) return { sql };
  if (counters !== undefined) return { counters };
  if (log) return { log: without<Extract<Meter['read'], { log: unknown }>['log']>({ files: log.files, lines: log.lines, keep: log.keep }) };
  if (sessions) return { sessions: { slowMs: ms(sessions.slow) } };
  return { http: { get: http?.get ?? '/', status: http?.status ?? 200 } };
}

function toReading(file: MeterFile['readings'][string]): Reading {
  const place = { reading: unitOf(file.unit, file.of) };
  return without<Reading>({
    at: file.at,
    of: file.of,
    unit: file.unit,
    target: file.target === undefined ? undefined : limit(file.target, place),
    alert: file.alert === undefined ? undefined : limit(file.alert, place),
    samples: file.samples,
    advice: file.advice,
  });
}

function toGate(file: NonNullable<PlanFile['gate']>[string]): Gate {
  return without<Gate>({
    sealed: file.sealed ?? [],
    atEntry: file['at-entry'] ?? [],
    attested: file.attested ?? [],
    approved: file.approved && { roles: file.approved.roles, expiresMs: ms(file.approved.expires) },
  });
}

function toRoute(file: NonNullable<PlanFile['routes']>[string]): Route {
  if (file.to !== undefined) return { downgrade: { to: file.to } };
  if (file.forward !== undefined) return { forward: file.forward };
  if (file.loses === undefined) return { codeBack: true };
  return without<Extract<Route, { restore: unknown }>>({ restore: { loses: file.loses }, approved: file.approved });
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
  return without<Exclude<When, 'rest'>>({ ...when, forMs: lasting === undefined ? undefined : ms(lasting) } as Exclude<When, 'rest'>);
}
