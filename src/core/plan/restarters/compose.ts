// A service of Docker Compose.
import { z } from 'zod';
import { anyPath } from '../forms.ts';
import { defineTool } from '../tool.ts';
import { readyOptions } from './ready.ts';

export const compose = defineTool({
  key: 'compose',
  meaning: 'A service of Docker Compose that mounts `current`; its container is made anew',
  options: {
    file: anyPath.describe('The compose file'),
    service: z
      .string()
      .regex(/^[\w.-]+$/u)
      .meta({ title: 'service of Compose', examples: ['web'] })
      .describe('Name of the service in it'),
    ...readyOptions,
  },
  defaults: {},
  programs: () => [],
});
