// What a kind of fallback is: its form in the plan, what it undoes, the undo that it adds to a line, and when
// it can be walked.
import type { z } from 'zod';
import type { Path, Remark } from '../complaint.ts';
import type { StepKind } from '../steps/index.ts';
import type { Family } from '../steps/step.ts';

/** Who must sign, where a kind asks for it. */
export interface Approved {
  readonly roles: readonly string[];
}

/** What a kind may know of the plan when it says whether it can be walked. */
export interface KnownOfPlan {
  /** The pending migrations; undefined where the plan has no migration tool. */
  readonly pending: readonly string[] | undefined;
  /** A declaration of migrations, for hints. */
  readonly declaration: string;
  /** Whether the backup is proven without owners and privileges. */
  readonly withoutOwners: boolean;
  /** The environments without a step of this kind. */
  readonly lacking: (step: 'backup' | 'switch') => readonly string[];
}

export interface FallbackDefinition<Key extends string, Form extends z.ZodType, Kept, Undo extends string> {
  /** The key in the plan. */
  readonly key: Key;
  readonly form: Form;
  readonly toPlan: (file: z.output<Form>, approved: Approved | undefined) => Kept;
  /** The rollback that is meant where none is named: everything, step by step. */
  readonly byDefault?: true;
  /** It loses writes: people sign it, and silence never decides it. */
  readonly losesWrites?: true;
  /** The undo that it adds to a line of this kind. */
  readonly adds?: { readonly to: StepKind; readonly undo: Undo };
  /** Families whose undos it leaves out. */
  readonly leaves: readonly Family[];
  /** Its own undo takes the place of those that it leaves out, so they are left out only where it is run. */
  readonly replaces?: true;
  /** It goes on instead of back: with what people read about it. */
  readonly goesOn?: (kept: Kept) => string;
  /** Why it could not be walked in this plan. */
  readonly remarks: (kept: Kept, path: Path, plan: KnownOfPlan) => readonly Remark[];
}

/** A kind of fallback, with all its types inferred from its one file. */
export const defineFallback = <
  const Key extends string,
  Form extends z.ZodType,
  Kept,
  const Undo extends string = never,
>(
  definition: FallbackDefinition<Key, Form, Kept, Undo>,
): FallbackDefinition<Key, Form, Kept, Undo> => definition;

/** A fallback that could not be walked. */
export const cannot = (path: Path, message: string, hint: string): Remark => ({
  path,
  at: 'key',
  message: `cannot be walked: ${message}`,
  hint,
});

/** Each environment has the step that it needs. */
export const needsStep = (path: Path, lacking: readonly string[], step: string, hint: string) =>
  lacking.length === 0 ? [] : [cannot(path, `${lacking.join(' and ')} has no ${step} step`, hint)];
