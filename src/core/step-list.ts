// The compiled step list: the one thing that a rollout walks down. It is workflow input, is hashed, signed,
// and compared by the environment's worker (rule 8). Types only, so that workflows may use them.
import type { Pace } from './pace.ts';
import type { Change, EnvironmentPlan, Fallback, Gate, Json, MatrixRow, Monitor, Plan } from './plan/plan.ts';
import type { FallbackUndoKind } from './plan/fallbacks/index.ts';
import type { LineUndoKind, StepKind } from './plan/steps/index.ts';
import type { Family } from './plan/steps/step.ts';

export type { StepKind } from './plan/steps/index.ts';
export type { Family } from './plan/steps/step.ts';

/** Undos of lines, what a fallback adds to them, and what a rollback shuts and opens meanwhile. */
export type UndoKind = LineUndoKind | FallbackUndoKind | 'closeSite' | 'stopServices' | 'startServices';

export interface Undo {
  readonly undo: UndoKind;
  readonly family: Family;
  readonly args: Readonly<Record<string, Json>>;
  /** The undo no longer holds once a step of this kind has passed. */
  readonly until?: StepKind;
}

/** An undo that was registered before its step began. */
export interface StackEntry {
  readonly index: number;
  readonly step: string;
  readonly undo: Undo;
}

/** One line of the compiled list: one activity. */
export interface Step {
  readonly index: number;
  readonly name: string;
  readonly kind: StepKind;
  readonly spec: Readonly<Record<string, Json>>;
  readonly changes: readonly Change[];
  readonly undo?: Undo;
}

export interface StepList {
  readonly soakgate: 1;
  readonly service: string;
  readonly summary: string;
  readonly kind: Plan['kind'];
  readonly environment: EnvironmentPlan & { readonly name: string };
  readonly commit: string;
  /** Path → sha256 at the pinned commit, of every file the plan names. */
  readonly files: Readonly<Record<string, string>>;
  readonly pace: Pace | null;
  /** Length of soak or watch as the plan says it, before any pace; 0 when nothing is observed. */
  readonly observedMs: number;
  /** A day as this run counts it, in milliseconds. */
  readonly dayMs: number;
  readonly release: Plan['release'];
  readonly commands: Plan['commands'];
  readonly migrations: Plan['migrations'] | null;
  readonly steps: readonly Step[];
  readonly monitors: Readonly<Record<string, Monitor>>;
  readonly gate: Gate | null;
  readonly fallbacks: Readonly<Record<string, Fallback>>;
  readonly matrix: readonly MatrixRow[];
  /** Whether no later environment waits behind this one's soak. */
  readonly last: boolean;
}
