// migrate: applies exactly the pending migrations; its undo takes back what was not recorded as applied
// before.
import { z } from 'zod';
import type { Remark } from '../complaint.ts';
import { duration } from '../forms.ts';
import { limitRemarks } from '../lint-limits.ts';
import { perEnvironment } from '../lint-lines.ts';
import { migrationsAreDeclared } from '../lint-migrations.ts';
import { ms } from '../to-plan-values.ts';
import { defineStep, line, type RulePlan } from './step.ts';

export interface MigrateSpec {
  readonly lockTimeoutMs: number;
  readonly giveUpAfterMs: number;
  readonly statementTimeoutMs: number;
}

export const migrate = defineStep({
  key: 'migrate',
  form: z
    .strictObject({
      'lock-timeout': duration.describe('Lock timeout of one attempt'),
      'give-up-after': duration.describe('How long to retry'),
      'statement-timeout': duration.describe('How long one statement may run'),
    })
    .describe('Applies exactly the pending migrations'),
  toSpec: (file): MigrateSpec => ({
    lockTimeoutMs: ms(file['lock-timeout']),
    giveUpAfterMs: ms(file['give-up-after']),
    statementTimeoutMs: ms(file['statement-timeout']),
  }),
  kinds: {
    migrate: line<MigrateSpec>()({
      changes: ['database'],
      undo: { undo: 'downgrade', family: 'schema', args: () => ({ to: 'recorded' }) },
      programs: [],
    }),
  },
  lines: (spec, name) => [{ kind: 'migrate', name, spec }],
  rules: [migratesSomething, areApplied, limitsHold],
});

function limitsHold({ steps }: RulePlan<{ migrate: MigrateSpec }>): readonly Remark[] {
  return steps.flatMap(({ migrate: spec }, at) => (spec ? limitRemarks(spec, at, 'migrate') : []));
}

/** One step applies them, once. */
function areApplied(plan: RulePlan<{ migrate: MigrateSpec }>): readonly Remark[] {
  if (!plan.migrations) return [];
  return perEnvironment(plan, (_, lines): readonly Remark[] => {
    const migrating = lines.filter(({ step }) => step.migrate);
    if (migrating.length === 0)
      return [
        {
          path: ['migrations'],
          at: 'key',
          message: 'no step migrates',
          hint:
            'add a step: - { step: migrate, migrate: { lock-timeout: 50ms, give-up-after: 2m, ' +
            'statement-timeout: 5m } }',
        },
      ];
    return migrating.slice(1).map(({ at }) => ({
      path: ['steps', at, 'migrate'],
      at: 'key',
      message: 'the migrations are applied by an earlier step already',
      hint: 'one step applies all that is pending',
    }));
  });
}

function migratesSomething(plan: RulePlan<object>): readonly Remark[] {
  return migrationsAreDeclared(plan, 'migrate');
}
