// The sessions of the database as they stand.
import { z } from 'zod';
import { duration } from '../forms.ts';
import { ms } from '../to-plan-values.ts';
import { defineSource } from './source.ts';

export interface SessionsRead {
  readonly sessions: { readonly slowMs: number };
}

export const sessions = defineSource({
  key: 'sessions',
  form: z
    .strictObject({ slow: duration.describe('Age at which a transaction counts as slow') })
    .describe(
      'Checks the sessions of the database; gives `slow`, `waiting` and `unindexed`, and names the sessions',
    ),
  beside: {},
  toRead: (file): SessionsRead => ({ sessions: { slowMs: ms(file.slow) } }),
  given: () => ({ over: 'sessions', metrics: ['slow', 'waiting', 'unindexed'] }),
  readsDatabase: true,
  countsSince: () => false,
  files: () => [],
  programs: () => [],
});
