// The part of the trusted plan about one environment: its services, its observation, its window.
import type { Json } from './values.ts';

export interface Observation {
  readonly forMs: number;
  readonly everyMs: number;
  readonly gapMs: number;
  readonly cleanDays?: number;
  readonly extendMs?: number;
}

/** What is still checked when nothing is observed any more, until people end it. */
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
  readonly maintenance?: {
    readonly flagFile: string;
    readonly answers: number;
    readonly inside?: string;
    /** Path below `inside` that must answer below 400 before a rollback opens the service again. */
    readonly health: string;
  };
  /** What is shut while the database rolls back. */
  readonly rollback?: { readonly close?: true; readonly stop?: readonly string[] };
  readonly window?: {
    readonly opens: string;
    readonly zone: string;
    readonly lengthMs: number;
    readonly noticeMs?: number;
  };
}

/** Options of the migration tool; the adapter of that tool knows what they mean. */
export interface Migrations {
  readonly tool: string;
  readonly pending: readonly string[];
  readonly options: Readonly<Record<string, Json>>;
}
