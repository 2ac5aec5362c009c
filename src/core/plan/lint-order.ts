// Rules about the order of steps that hold for every kind.
import type { Remark } from './complaint.ts';
import { linesOf, perEnvironment } from './lint-lines.ts';
import type { Plan } from './plan.ts';
import { changesDatabase, keyOf, triesWrites } from './steps/facts.ts';

/** Rule 2: nothing changes the database before a backup is proven. */
export function backupFirst(plan: Plan): readonly Remark[] {
  return perEnvironment(plan, (_, lines) => {
    const backup = lines.findIndex(({ step }) => 'backup' in step);
    return lines
      .filter(({ step }, place) => touches(step) && (backup === -1 || place < backup))
      .map(({ at, step }) => ({
        path: ['steps', at, keyOf(step)],
        at: 'key',
        message: `${triesWrites(step) ? 'tries writes on' : 'changes'} the database before a backup is proven`,
        hint: 'put a step before it: - { step: backup, backup: { keep: 30d } }',
      }));
  });
}

const touches = (step: Plan['steps'][number]): boolean => changesDatabase(step) || triesWrites(step);

/** Whether some environment lacks a kind of step. */
export function environmentsWithout(plan: Plan, kind: string): readonly string[] {
  return plan.environments
    .map(({ name }) => name)
    .filter((name) => !linesOf(plan, name).some(({ step }) => kind in step));
}
