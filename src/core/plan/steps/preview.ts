// preview: shows the migration and rehearses it on the restored copy.
import { z } from 'zod';
import type { Remark } from '../complaint.ts';
import { table } from '../forms.ts';
import { migrationsAreDeclared } from '../lint-migrations.ts';
import { without } from '../to-plan-values.ts';
import { defineStep, line, type RulePlan } from './step.ts';

export interface PreviewSpec {
  readonly lint: 'error' | 'warn' | 'skip';
  readonly rehearse: 'up-down-up' | 'up' | 'skip';
  readonly moves?: readonly string[];
}

export const preview = defineStep({
  key: 'preview',
  form: z
    .strictObject({
      lint: z.enum(['error', 'warn', 'skip']).describe('How to treat a dangerous statement'),
      rehearse: z.enum(['up-down-up', 'up', 'skip']).describe('What to execute on a copy of the target'),
      moves: z
        .array(table)
        .min(1)
        .describe('Tables whose rows the migration moves, changes or drops; the rehearsal proposes them')
        .optional(),
    })
    .describe('Shows the migration and rehearses it on a copy of the target'),
  toSpec: ({ lint, rehearse, moves }) => without<PreviewSpec>({ lint, rehearse, moves }),
  kinds: { preview: line<PreviewSpec>()({ changes: [], programs: [] }) },
  lines: (spec, name) => [{ kind: 'preview', name, spec }],
  rules: [previewsMigrations],
});

function previewsMigrations(plan: RulePlan<object>): readonly Remark[] {
  return migrationsAreDeclared(plan, 'preview');
}
