// The list of fallbacks: one line each. Forms, rules, allowed undos and the order of a rollback are derived
// from it.
import { codeRollback } from './code-rollback.ts';
import { downgrade } from './downgrade.ts';
import { forward } from './forward.ts';
import { restore } from './restore.ts';

/** Under the key that the trusted plan keeps each by. */
export const fallbackKinds = { downgrade, forward, restore, codeRollback } as const;

type Definitions = typeof fallbackKinds;
export type FallbackKey = keyof Definitions;

/** A fallback of the trusted plan. */
export type Fallback = ReturnType<Definitions[FallbackKey]['toPlan']>;

/** The undos that fallbacks add to lines. */
export type FallbackUndoKind = {
  [Key in FallbackKey]: NonNullable<Definitions[Key]['adds']>['undo'];
}[FallbackKey];
