// The rollback: undo stack + fallback + release kind → one ordered list, shown before it runs (rule 3).
import type { EnvironmentPlan, ReleaseKind, Fallback } from './plan/plan.ts';
import { undone } from './plan/fallbacks/facts.ts';
import type { Family, StackEntry, Step, StepKind, Undo, UndoKind } from './step-list.ts';
import { restoreEntry } from './undo.ts';

export interface RollbackInput {
  readonly kind: ReleaseKind;
  readonly stack: readonly StackEntry[];
  /** Kinds of the steps that have passed. */
  readonly passed: readonly StepKind[];
  /** Null: undo all that this rollout did. */
  readonly fallback: Fallback | null;
  /** The backup step: what a restore rolls back to. */
  readonly backup: Step | null;
  /** What the environment shuts while its database rolls back. */
  readonly shut?: EnvironmentPlan['rollback'];
}

const everything: ReturnType<typeof undone> = { leaves: [] };

const orders: Record<ReleaseKind, readonly Family[]> = {
  // The new code runs the downgrade, the old code would not know the new constraints (T-36).
  constraints: ['flag', 'schema', 'data', 'code', 'maintenance'],
  view: ['flag', 'schema', 'data', 'code', 'maintenance'],
  // Old code lives with the new columns, new code does not live without them (T-37).
  columns: ['flag', 'code', 'schema', 'data', 'maintenance'],
  flags: ['flag', 'code', 'schema', 'data', 'maintenance'],
  code: ['code', 'flag', 'schema', 'data', 'maintenance'],
};

/** The undos that are to run, in their order. */
export function orderRollback({
  kind,
  stack,
  passed,
  fallback,
  backup,
  shut,
}: RollbackInput): readonly StackEntry[] {
  const valid = stack.filter((entry) => !(entry.undo.until && passed.includes(entry.undo.until)));
  const { leaves, replaces } = fallback ? undone(fallback) : everything;
  const left = valid.filter((entry) => leaves.includes(entry.undo.family));
  // One restore replaces every undo of data and schema; a database that was never changed needs none.
  const restored = replaces && backup && (left.length > 0 || passed.includes('migrate'));
  const wanted =
    replaces && !restored
      ? valid
      : [...(restored ? [restoreEntry(backup)] : []), ...valid.filter((entry) => !left.includes(entry))];
  const back = orders[kind].flatMap((family) =>
    ordered(wanted.filter((entry) => entry.undo.family === family)),
  );
  return shutMeanwhile(back, shut);
}

/**
 * Newest first, as they were pushed; but a service is restarted after the checkout it serves has changed
 * back, and once only.
 */
function ordered(entries: readonly StackEntry[]): readonly StackEntry[] {
  const newest = [...entries].reverse();
  const restarts = newest.filter((entry) => entry.undo.undo === 'revertRestart').reverse();
  const once = restarts.filter(
    (entry, at) =>
      restarts.findIndex((other) => other.undo.args['service'] === entry.undo.args['service']) === at,
  );
  return [...newest.filter((entry) => entry.undo.undo !== 'revertRestart'), ...once];
}

/**
 * Shuts what the plan names before the first line that rolls back, and opens it behind the last one; nothing
 * where no line of the database rolls back.
 */
function shutMeanwhile(
  entries: readonly StackEntry[],
  shut: EnvironmentPlan['rollback'],
): readonly StackEntry[] {
  const first = entries.find(({ undo }) => undo.family === 'data' || undo.family === 'schema');
  if (!shut || !first) return entries;
  const own = (undo: UndoKind, family: Family, args: Undo['args'] = {}): StackEntry => ({
    index: first.index,
    step: first.step,
    undo: { undo, family, args },
  });
  const { close = false, stop = [] } = shut;
  // All of them, so that their order among themselves stays.
  const restarts = stop.length > 0 ? entries.filter(({ undo }) => undo.undo === 'revertRestart') : [];
  const down = stop.filter((service) => !restarts.some(({ undo }) => undo.args['service'] === service));
  const opens = entries.filter(({ undo }) => undo.family === 'maintenance');
  return [
    ...(close ? [own('closeSite', 'maintenance')] : []),
    ...(stop.length > 0 ? [own('stopServices', 'code', { services: stop })] : []),
    ...entries.filter((entry) => !restarts.includes(entry) && !opens.includes(entry)),
    ...restarts,
    ...(down.length > 0 ? [own('startServices', 'code', { services: down })] : []),
    ...opens,
    ...(close && opens.length === 0 ? [own('endMaintenance', 'maintenance')] : []),
  ];
}
