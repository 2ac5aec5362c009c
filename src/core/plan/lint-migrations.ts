// Steps that work on migrations need some.
import type { Remark } from './complaint.ts';
import { perEnvironment } from './lint-lines.ts';
import { exampleOfMigrations } from './migrators/index.ts';
import type { RulePlan } from './steps/step.ts';

/** A remark on each step of this kind in a plan that declares no migrations. */
export function migrationsAreDeclared(plan: RulePlan<object>, key: string): readonly Remark[] {
  if (plan.migrations) return [];
  return perEnvironment(plan, (_, lines) =>
    lines
      .filter(({ step }) => key in step)
      .map(({ at }) => ({
        path: ['steps', at, key],
        at: 'key',
        message: 'there are no migrations',
        hint: `declare them: ${exampleOfMigrations}`,
      })),
  );
}
