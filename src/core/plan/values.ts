// The small values that a trusted plan is made of. Plain JSON, so that its canonical text can be hashed;
// durations are milliseconds, ratios are fractions (5 % = 0.05).

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

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
