// What a step hands back: small, typed, serialisable; never a file, never a secret (rule 9).
import type { Json } from './plan/plan.ts';
import type { Verdict } from './verdict.ts';

/** A file in the artifact store. */
export interface ArtifactRef {
  readonly name: string;
  readonly uri: string;
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

/** One bad row or fact. */
export interface Finding {
  readonly category: string;
  readonly key: string;
  readonly fix: 'auto' | 'people' | 'none';
  readonly message: string;
}

export interface Receipt {
  readonly step: string;
  readonly kind: string;
  readonly verdict: Verdict;
  /** One line for people. */
  readonly summary: string;
  /** What a reader wants to know, at most ten lines. */
  readonly details?: readonly string[];
  readonly figures?: Readonly<Record<string, Json>>;
  /** At most 50 are carried; `figures.findings` has the full number. */
  readonly findings?: readonly Finding[];
  readonly artifacts?: readonly ArtifactRef[];
  /** RFC 3339, by the worker's clock. */
  readonly startedAt: string;
  readonly tookMs: number;
}

/** Where an undo left things. */
export interface UndoReceipt {
  readonly undo: string;
  readonly step: string;
  readonly done: boolean;
  readonly summary: string;
  /** What is differences remain, named one by one. */
  readonly differences: readonly string[];
  /** What a reader should know though nothing is dirty: rows that others changed since. */
  readonly notes?: readonly string[];
  readonly tookMs: number;
}
