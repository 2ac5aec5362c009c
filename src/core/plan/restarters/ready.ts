// Options that every restarter takes: when the service is up, and which build it is.
import { z } from 'zod';
import { urlPath } from '../forms.ts';

export const readyOptions = {
  ready: urlPath.describe('The service is up when this answers with 200').optional(),
  build: z
    .string()
    .startsWith('/')
    .optional()
    .describe('JSON pointer into the ready answer: the build id, which must be the commit that serves'),
};
