// The lines that every rollout has, whether written or not: the checkout and the look at the pending
// migrations.
import { line } from './step.ts';

type Nothing = Readonly<Record<string, never>>;

/** In their order; they come right after preflight. `pending` only where migrations are declared. */
export const implicitKinds = {
  release: line<Nothing>()({ changes: ['files'], programs: [] }),
  pending: line<Nothing>()({ changes: [], programs: [] }),
};
