// Downgrade: every undo of what this rollout did, down to the recorded state.
import { z } from 'zod';
import { cannot, defineFallback } from './fallback.ts';

export const downgrade = defineFallback({
  key: 'to',
  form: z.literal('recorded').describe('Downgrade: migrates down to the recorded state'),
  toPlan: (to): { readonly downgrade: { readonly to: 'recorded' } } => ({ downgrade: { to } }),
  byDefault: true,
  leaves: [],
  remarks: (_, path, { pending, declaration }) =>
    pending
      ? []
      : [
          cannot(
            path,
            'there are no migrations to take back',
            `declare ${declaration}, or take the fallback out`,
          ),
        ],
});
