// Code rollback: the old release serves again, and the schema stays.
import { z } from 'zod';
import { defineFallback, needsStep } from './fallback.ts';

export const codeRollback = defineFallback({
  key: 'code',
  form: z
    .literal('rollback')
    .describe('Code rollback: switches back to the old release and leaves the schema'),
  toPlan: (): { readonly codeRollback: true } => ({ codeRollback: true }),
  leaves: ['data', 'schema', 'flag'],
  remarks: (_, path, { lacking }) =>
    needsStep(path, lacking('switch'), 'switch', 'add a step: - { step: switch, switch: release }'),
});
