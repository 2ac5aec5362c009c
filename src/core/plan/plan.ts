// The trusted plan: what `parsePlan` returns once every complaint is answered. Plain JSON, so that
// its canonical text can be hashed; durations are milliseconds, ratios are fractions (5 % = 0.05).

/** Decides in which order schema and code roll back. */
export type ReleaseKind = 'constraints' | 'columns' | 'view' | 'flags' | 'code';

/** One command as it is executed: a program and its arguments, never a shell string. */
export type Argv = readonly string[];

/** What a step may change. Only `database` waits for the proof of a backup. */
export type Change = 'database' | 'files' | 'processes' | 'flags';

export type Unit = 'ratio' | 'percent' | 'ms' | 's' | 'count';

/** One limit of a threshold: `at most 110% of baseline for 10m`. */
export interface Limit {
  readonly word: 'at least' | 'at most' | 'above' | 'below' | 'exactly';
  /** In the metric's own unit; with `ofBaseline` or `ofDatabase` a fraction of that figure. */
  readonly value: number;
  readonly ofBaseline?: true;
  readonly ofDatabase?: true;
  readonly perDay?: true;
  /** `above 2 in a row`: what is compared is how many samples in a row were not zero. */
  readonly inARow?: true;
  /** Milliseconds for which it must stay outside (alert) or over which it is judged (objective). */
  readonly forMs?: number;
  /** The words as written, for people. */
  readonly text: string;
}

export interface Metric {
  /** JSON pointer into what the monitor read; for counters a column name (default: the metric's own name). */
  readonly at?: string;
  /** Ratio of this column's delta to that column's delta. */
  readonly of?: string;
  readonly unit?: Unit;
  readonly objective?: Limit;
  readonly alert?: Limit;
  /** Least number of samples below which a metric is inconclusive. */
  readonly samples?: number;
  /** What to do about an alert, told together with it. */
  readonly advice?: string;
}

/** New lines of log files, counted by named patterns; the files lie in the service's folder of logs. */
export interface LogRead {
  readonly files: readonly string[];
  /** Name of a metric → regular expression; its first group says what is named in an alert. */
  readonly lines: Readonly<Record<string, string>>;
  /** Lines kept after one that fits, for the evidence. */
  readonly keep?: number;
}

export type MonitorRead =
  | { readonly log: LogRead }
  | { readonly sessions: { readonly slowMs: number } }
  | { readonly command: Argv; readonly since?: string }
  | { readonly sql: string }
  | { readonly counters: string }
  | { readonly http: { readonly get: string; readonly status: number } };

export interface Monitor {
  readonly read: MonitorRead;
  readonly everyMs?: number;
  readonly metrics: Readonly<Record<string, Metric>>;
}

export interface Observation {
  readonly forMs: number;
  readonly everyMs: number;
  readonly gapMs: number;
  readonly cleanDays?: number;
  readonly extendMs?: number;
}

/** What is still looked at when nothing is observed any more, until people end it. */
export interface Afterwards {
  readonly everyMs: number;
  /** Names of monitors; all of them where none is named. */
  readonly monitors?: readonly string[];
}

/** A service under control of a restarter; `tool` names the family's member, `options` belong to it. */
export interface Service {
  readonly name: string;
  readonly tool: string;
  readonly options: Readonly<Record<string, Json>>;
}

export interface EnvironmentPlan {
  readonly url?: string;
  readonly services: readonly Service[];
  readonly soak?: Observation;
  readonly watch?: Observation;
  readonly afterwards?: Afterwards;
  readonly maintenance?: { readonly flagFile: string; readonly answers: number; readonly inside?: string };
  /** What is shut while the database rolls back. */
  readonly rollback?: { readonly close?: true; readonly stop?: readonly string[] };
  readonly window?: {
    readonly opens: string;
    readonly zone: string;
    readonly lengthMs: number;
    readonly noticeMs?: number;
  };
}

/** A check on constraints: one by name, or a pattern (`*`) with an exact number. */
export type ConstraintExpectation = string | { readonly like: string; readonly exactly: number };

export type CheckSpec =
  | { readonly constraints: readonly ConstraintExpectation[] }
  | {
      readonly columns: readonly {
        readonly table: string;
        readonly column: string;
        readonly type?: string;
        readonly nullable?: boolean;
        readonly default?: string;
      }[];
    }
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

/** One forbidden write: set these columns on one existing row, and be refused by this constraint. */
export interface ForbiddenWrite {
  readonly table: string;
  readonly set: Readonly<Record<string, Json>>;
  readonly by: string;
}

export interface RowRule {
  readonly name: string;
  readonly table: string;
  /** SQL condition that is true for a BAD row. */
  readonly bad: string;
  /** SQL assignments that make the row good; without it people decide. */
  readonly fix?: string;
  readonly message?: string;
}

export interface DataSpec {
  readonly check?: { readonly command: Argv };
  /** `tables`: those whose rows the command may change; empty when the plan does not say, then any. */
  readonly fix?: { readonly command: Argv; readonly tables: readonly string[] };
  readonly rules: readonly RowRule[];
  /** category → allowed answers of a person for findings that no machine changes. */
  readonly peopleDecide: Readonly<Record<string, readonly string[]>>;
}

export type PlanStepKind =
  | {
      readonly preflight: {
        readonly tools: readonly string[];
        readonly reach?: readonly string[];
        readonly disk?: Limit;
      };
    }
  | { readonly baseline: { readonly http?: { readonly get: readonly string[]; readonly samples: number } } }
  | { readonly maintenance: 'enter' | 'leave' }
  | {
      readonly backup: {
        readonly tool: 'pg_dump';
        readonly format: 'custom' | 'directory';
        readonly jobs?: number;
        readonly keepMs: number;
      };
    }
  | { readonly data: DataSpec }
  | {
      readonly preview: {
        readonly lint: 'error' | 'warn' | 'skip';
        readonly rehearse: 'up-down-up' | 'up' | 'skip';
        readonly moves?: readonly string[];
      };
    }
  | {
      readonly migrate: {
        readonly lockTimeoutMs: number;
        readonly giveUpAfterMs: number;
        readonly statementTimeoutMs: number;
      };
    }
  | { readonly check: CheckSpec }
  | { readonly forbidden: readonly ForbiddenWrite[] }
  | {
      readonly run: {
        readonly command: Argv;
        readonly changes: readonly Change[];
        readonly undo?: { readonly command: Argv };
      };
    }
  | { readonly switch: 'release' }
  | { readonly restart: readonly string[] }
  | { readonly flows: string };

export type PlanStep = { readonly step: string; readonly in?: readonly string[] } & PlanStepKind;

export interface Attestation {
  readonly id: string;
  readonly role: string;
  readonly text: string;
}

export interface Gate {
  readonly sealed: readonly ('soak-passed' | 'same-release' | 'backup-proven' | 'rollback-rehearsed')[];
  readonly beforeDeploying: readonly ('window-open' | 'notice-given')[];
  readonly attested: readonly Attestation[];
  readonly approved?: { readonly roles: readonly string[]; readonly expiresMs: number };
}

/** A rollback. */
export type Fallback =
  | { readonly downgrade: { readonly to: 'recorded' } }
  | { readonly forward: string }
  | {
      readonly restore: { readonly loses: 'writes-since-backup' };
      readonly approved?: { readonly roles: readonly string[] };
    }
  | { readonly codeRollback: true };

export type Severity = 'low' | 'medium' | 'high' | 'critical';

/** The symptom that a line of the matrix answers. */
export type When =
  | 'rest'
  | { readonly before: string }
  | { readonly step: string; readonly is?: Symptom }
  | { readonly monitor: string; readonly is?: Symptom; readonly forMs?: number }
  | { readonly fallback: string };
export type Symptom = 'fail' | 'error' | 'alert' | 'inconclusive';

export interface MatrixRow {
  readonly when: When;
  readonly do?: string;
  readonly ask?: readonly string[];
  readonly unanswered?: { readonly afterMs: number; readonly do: string };
  readonly severity: Severity;
}

/** Options of the migration tool; the adapter of that tool knows what they mean. */
export interface Migrations {
  readonly tool: string;
  readonly pending: readonly string[];
  readonly options: Readonly<Record<string, Json>>;
}

/** `{ from: database }` is the address of the database in hand: the target, or the scratch copy in a rehearsal. */
export type EnvValue =
  | string
  | { readonly from: 'database' }
  | { readonly env: string }
  | { readonly file: string };

export interface Plan {
  readonly soakgate: 1;
  readonly service: string;
  readonly summary: string;
  readonly kind: ReleaseKind;
  readonly claims?: { readonly downtime?: Limit; readonly reversible?: boolean };
  /** Role → whom to call. */
  readonly contacts?: Readonly<Record<string, string>>;
  /** Name → where to read more. */
  readonly links?: Readonly<Record<string, string>>;
  /** What the release protects → names of the steps that would find it missing. */
  readonly protections?: Readonly<Record<string, readonly string[]>>;
  readonly release: {
    readonly ref: string;
    readonly lock?: string;
    readonly environment?: string;
    readonly install: readonly Argv[];
  };
  readonly commands: { readonly path: readonly string[]; readonly env: Readonly<Record<string, EnvValue>> };
  readonly migrations?: Migrations;
  /** In the order in which they are entered. */
  readonly environments: readonly (EnvironmentPlan & { readonly name: string })[];
  readonly steps: readonly PlanStep[];
  readonly monitors: Readonly<Record<string, Monitor>>;
  readonly gate: Readonly<Record<string, Gate>>;
  readonly fallbacks: Readonly<Record<string, Fallback>>;
  readonly matrix: readonly MatrixRow[];
}

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
