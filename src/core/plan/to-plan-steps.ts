// The steps of `toPlan`: each kind as the file writes it → as the plan keeps it.
import type { CheckSpec, DataSpec, HttpCheck, PlanStep, PlanStepKind } from './plan.ts';
import type { PlanFile } from './schema.ts';
import { limit, ms, without } from './to-plan-values.ts';

type StepFile = PlanFile['steps'][number];
type CheckFile = NonNullable<StepFile['check']>;

const list = (value: string | readonly string[]): readonly string[] =>
  typeof value === 'string' ? [value] : value;

/** One step of the trusted plan. */
export function toStep(file: StepFile): PlanStep {
  return without<PlanStep>({ step: file.step, in: file.in, ...toKind(file) } as PlanStep);
}

function toKind(file: StepFile): PlanStepKind {
  if (file.preflight)
    return {
      preflight: without({
        tools: file.preflight.tools ?? [],
        reach: file.preflight.reach,
        disk: file.preflight.disk === undefined ? undefined : limit(file.preflight.disk, 'disk'),
      }),
    };
  if (file.baseline)
    return {
      baseline: without({
        http: file.baseline.http && {
          get: list(file.baseline.http.get),
          samples: file.baseline.http.samples ?? 200,
        },
      }),
    };
  if (file.maintenance) return { maintenance: file.maintenance };
  if (file.backup) {
    const { format = 'custom', jobs = 2, keep } = file.backup;
    return { backup: { tool: 'pg_dump', format, ...(format === 'directory' && { jobs }), keepMs: ms(keep) } };
  }
  if (file.data) return { data: toData(file.data) };
  if (file.preview) return { preview: file.preview };
  if (file.migrate) {
    const { 'lock-timeout': lock, 'give-up-after': giveUp, 'statement-timeout': statement } = file.migrate;
    return {
      migrate: { lockTimeoutMs: ms(lock), giveUpAfterMs: ms(giveUp), statementTimeoutMs: ms(statement) },
    };
  }
  if (file.check) return { check: toCheck(file.check) };
  if (file.forbidden)
    return { forbidden: file.forbidden as Extract<PlanStepKind, { forbidden: unknown }>['forbidden'] };
  if (file.run)
    return { run: without({ command: file.run.command, changes: file.run.changes, undo: file.run.undo }) };
  if (file.switch) return { switch: file.switch };
  if (file.restart) return { restart: file.restart };
  return { flows: file.flows ?? '' };
}

function toData(file: NonNullable<StepFile['data']>): DataSpec {
  return without<DataSpec>({
    check: file.check,
    fix: file.fix && { command: file.fix.command, tables: file.fix.tables ?? [] },
    rules: (file.rules ?? []).map(({ rule, ...rest }) =>
      without<DataSpec['rules'][number]>({
        name: rule,
        table: rest.table,
        bad: rest.bad,
        fix: rest.fix,
        message: rest.message,
      }),
    ),
    peopleDecide: file['people-decide'] ?? {},
  });
}

function toCheck(file: CheckFile): CheckSpec {
  if (file.constraints) return { constraints: file.constraints };
  if (file.columns)
    return {
      columns: file.columns.map((column) =>
        without<Extract<CheckSpec, { columns: unknown }>['columns'][number]>(column as never),
      ),
    };
  if (file.sql !== undefined)
    return {
      sql: file.sql,
      returns: toReturns(file.returns),
      ...(file.within !== undefined && { withinMs: ms(file.within) }),
    };
  if (file.http) return { http: toHttp(file.http) };
  return without<Extract<CheckSpec, { command: unknown }>>({
    command: file.command ?? [],
    json: file.json as Extract<CheckSpec, { command: unknown }>['json'],
    junit: file.junit && {
      file: file.junit.file,
      passed: file.junit.passed,
      skipped: file.junit.skipped ?? 0,
    },
    text: file.text && {
      pattern: file.text.pattern,
      groups: Object.fromEntries(
        Object.entries(file.text.groups).map(([group, wanted]) => [
          group,
          typeof wanted === 'object' ? wanted.is : limit(wanted, 'value'),
        ]),
      ),
    },
    changes: file.changes ?? [],
  });
}

function toReturns(returns: CheckFile['returns']): Extract<CheckSpec, { sql: string }>['returns'] {
  if (typeof returns !== 'object') return 'no rows';
  if ('golden' in returns) return { golden: returns.golden };
  return 'rows' in returns
    ? { rows: limit(returns.rows, 'value') }
    : { value: limit(returns.value, 'value') };
}

function toHttp(file: NonNullable<CheckFile['http']>): HttpCheck {
  return without<HttpCheck>({
    get: list(file.get),
    status: file.status ?? 200,
    json: file.json as HttpCheck['json'],
    withinMs: file.within === undefined ? 30_000 : ms(file.within),
    samples: file.samples,
    mean: file.mean === undefined ? undefined : limit(file.mean, 'mean'),
  });
}
