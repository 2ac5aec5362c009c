// check: a question about the target with a verdict.
import type { z } from 'zod';
import { limit, listed, ms, without } from '../to-plan-values.ts';
import type { Argv, Change, Json, Limit } from '../values.ts';
import { checkForm } from './check-form.ts';
import { defineStep, line } from './step.ts';

/** A check on constraints: one by name, or a pattern (`*`) with an exact number. */
export type ConstraintExpectation = string | { readonly like: string; readonly exactly: number };

export interface ColumnExpectation {
  readonly table: string;
  readonly column: string;
  readonly type?: string;
  readonly nullable?: boolean;
  readonly default?: string;
}

export type CheckSpec =
  | { readonly constraints: readonly ConstraintExpectation[] }
  | { readonly columns: readonly ColumnExpectation[] }
  | {
      readonly sql: string;
      readonly returns:
        | 'no rows'
        | { readonly value: Limit }
        | { readonly rows: Limit }
        | { readonly golden: string };
      /** Milliseconds within which it must answer. */
      readonly withinMs?: number;
    }
  | { readonly http: HttpCheck }
  | {
      readonly command: Argv;
      readonly json?: Readonly<Record<string, Json>>;
      /** Counts of the test report that the command writes below the checkout. */
      readonly junit?: { readonly file: string; readonly passed: number; readonly skipped: number };
      /** A report for people, read by named groups. */
      readonly text?: TextReport;
      readonly changes: readonly Change[];
    };

/** Each named group of the pattern has a threshold, or the words it must be. */
export interface TextReport {
  readonly pattern: string;
  readonly groups: Readonly<Record<string, Limit | string>>;
}

export interface HttpCheck {
  readonly get: readonly string[];
  readonly status: number;
  /** JSON pointer → expected value. */
  readonly json?: Readonly<Record<string, Json>>;
  readonly withinMs: number;
  readonly samples?: number;
  readonly mean?: Limit;
}

export const check = defineStep({
  key: 'check',
  form: checkForm,
  toSpec: toCheck,
  kinds: {
    check: line<CheckSpec>()({
      changes: (spec) => ('changes' in spec ? spec.changes : []),
      undo: { none: 'a check that must write is undone with what it has checked' },
      programs: (spec) => ('command' in spec ? [spec.command] : []),
    }),
  },
  lines: (spec, name) => [{ kind: 'check', name, spec }],
  judges: true,
  asksOverHttp: (spec) => 'http' in spec,
  files: (spec) =>
    'sql' in spec && typeof spec.returns === 'object' && 'golden' in spec.returns
      ? [spec.returns.golden]
      : [],
  rules: [],
});

type CheckFile = z.output<typeof checkForm>;

function toCheck(file: CheckFile): CheckSpec {
  if (file.constraints) return { constraints: file.constraints };
  if (file.columns)
    return {
      columns: file.columns.map((written) =>
        without<ColumnExpectation>({
          table: written.table,
          column: written.column,
          type: written.type,
          nullable: written.nullable,
          default: written.default,
        }),
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
    get: listed(file.get),
    status: file.status ?? 200,
    json: file.json as HttpCheck['json'],
    withinMs: file.within === undefined ? 30_000 : ms(file.within),
    samples: file.samples,
    mean: file.mean === undefined ? undefined : limit(file.mean, 'mean'),
  });
}
