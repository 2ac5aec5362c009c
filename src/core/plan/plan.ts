// The trusted plan: what `parsePlan` returns once every complaint is answered.
import type { EnvironmentPlan, Migrations } from './environment.ts';
import type { Fallback } from './fallbacks/index.ts';
import type { MonitorRead } from './monitors/index.ts';
import type { PlanStep } from './steps/index.ts';
import type { Argv, Limit, Unit } from './values.ts';

export type { Afterwards, EnvironmentPlan, Migrations, Observation, Service } from './environment.ts';
export type { Fallback } from './fallbacks/index.ts';
export type { MonitorRead } from './monitors/index.ts';
export type { PlanStep } from './steps/index.ts';
export type { Argv, Change, Json, Limit, Unit } from './values.ts';

/** Decides in which order schema and code roll back. */
export type ReleaseKind = 'constraints' | 'columns' | 'view' | 'flags' | 'code';

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

export interface Monitor {
  readonly read: MonitorRead;
  readonly everyMs?: number;
  readonly metrics: Readonly<Record<string, Metric>>;
}

export interface Attestation {
  readonly id: string;
  readonly role: string;
  readonly text: string;
}

export interface Gate {
  readonly sealed: readonly ('soak-passed' | 'same-release' | 'backup-proven' | 'rollback-rehearsed')[];
  readonly beforeDeploying: readonly ('window-open' | 'notice-given')[];
  readonly attested: readonly Attestation[];
  readonly approved?: { readonly roles: readonly string[]; readonly withinMs: number };
}

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

/**
 * `{ from: database }` is the address of the database in hand: the target, or the scratch copy in a
 * rehearsal.
 */
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
