// What of a planned rollback is still to be done, after all that earlier ways have done and left shut.
import type { EnvironmentPlan } from './plan/plan.ts';
import type { UndoReceipt } from './receipts.ts';
import type { StackEntry, Step, UndoKind } from './step-list.ts';

/** The list, as far as the walk needs it. */
export interface WalkedList {
  readonly steps: readonly Step[];
  readonly environment: { readonly rollback?: EnvironmentPlan['rollback'] };
}

const OPENS_SITE: readonly UndoKind[] = ['endMaintenance'];
const STARTS: readonly UndoKind[] = ['startServices', 'revertRestart'];

/**
 * An undo that was done is not done again, counted off entry by entry (two forward fixes have two undos of one
 * step). What shuts and what opens again is no such undo: the site is closed before a line of the database that
 * is still to be done, and behind the last line everything that was ever shut is opened, whichever way shut it.
 */
export function stillToUndo(
  entries: readonly StackEntry[],
  undos: readonly UndoReceipt[],
  list: WalkedList,
): readonly StackEntry[] {
  const open = notDone(entries, undos);
  const work = open.some(({ undo }) => undo.family === 'data' || undo.family === 'schema');
  const { closed, stopped, down } = shutNow(undos, list);
  // What was only tried to be shut is shut again, before the database rolls back.
  const sure = shutNow(
    undos.filter(({ done }) => done),
    list,
  );
  const shuts = (kind: UndoKind) => work && entries.some(({ undo }) => undo.undo === kind);
  const [site, services] = [closed !== null || shuts('closeSite'), down.length > 0 || shuts('stopServices')];
  const wanted = entries.filter((entry) => {
    const { undo } = entry.undo;
    if (undo === 'closeSite') return work && sure.closed === null;
    // One that a way before this has started again is stopped again.
    if (undo === 'stopServices')
      return work && sure.down.length < (list.environment.rollback?.stop ?? []).length;
    if (OPENS_SITE.includes(undo)) return site || open.includes(entry);
    return (STARTS.includes(undo) && services) || open.includes(entry);
  });
  const has = (kinds: readonly UndoKind[]) => wanted.some(({ undo }) => kinds.includes(undo.undo));
  const opens = wanted.filter(({ undo }) => OPENS_SITE.includes(undo.undo));
  const restarted = wanted.map(({ undo }) => undo.undo === 'revertRestart' && undo.args['service']);
  const left = down.filter((service) => !restarted.includes(service));
  const own = (name: string, undo: StackEntry['undo']): StackEntry => ({
    index: list.steps.findIndex((step) => step.name === name),
    step: name,
    undo,
  });
  return [
    ...wanted.filter((entry) => !opens.includes(entry)),
    ...(stopped !== null && left.length > 0 && !has(['startServices'])
      ? [own(stopped, { undo: 'startServices', family: 'code', args: { services: left } })]
      : []),
    ...opens,
    ...(closed !== null && opens.length === 0
      ? [own(closed, { undo: 'endMaintenance', family: 'maintenance', args: {} })]
      : []),
  ];
}

/**
 * What the undos have shut and not opened again: by which step, and which services are down. An attempt to shut that
 * was not done may have shut something all the same.
 */
export function shutNow(
  undos: readonly UndoReceipt[],
  { steps, environment }: WalkedList,
): { readonly closed: string | null; readonly stopped: string | null; readonly down: readonly string[] } {
  let closed: string | null = null;
  let stopped: string | null = null;
  let down: readonly string[] = [];
  for (const { undo, step, done } of undos) {
    if (undo === 'closeSite') closed = step;
    if (undo === 'stopServices') [stopped, down] = [step, environment.rollback?.stop ?? []];
    if (!done) continue;
    if (undo === 'endMaintenance') closed = null;
    if (undo === 'startServices') down = [];
    if (undo === 'revertRestart') {
      const service = steps.find(({ name }) => name === step)?.undo?.args['service'];
      down = down.filter((name) => name !== service);
    }
  }
  return { closed, stopped, down };
}

function notDone(entries: readonly StackEntry[], undos: readonly UndoReceipt[]): readonly StackEntry[] {
  const earlier = undos.filter(({ done }) => done);
  return entries.filter((entry) => {
    const done = earlier.findIndex(
      (receipt) => receipt.step === entry.step && receipt.undo === entry.undo.undo,
    );
    if (done >= 0) earlier.splice(done, 1);
    return done < 0;
  });
}
