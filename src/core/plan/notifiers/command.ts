// A program of this worker that is handed the notice on its standard input.
import { z } from 'zod';
import { defineNotifier } from './notifier.ts';

export const command = defineNotifier({
  key: 'command',
  meaning: 'Runs a program that reads the notice as JSON; exit code 0 is a delivery',
  options: {
    argv: z
      .array(z.string().min(1), { error: 'must be a list of words, e.g. [page-on-call, now]' })
      .min(1)
      .describe('The program and its arguments'),
  },
});
