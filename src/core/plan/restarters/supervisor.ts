// A program of supervisord.
import { z } from 'zod';
import { anyPath } from '../forms.ts';
import { defineTool } from '../tool.ts';
import { readyOptions } from './ready.ts';

export const supervisor = defineTool({
  key: 'supervisor',
  meaning: 'A program of supervisord that works in `current`',
  options: {
    program: z
      .string()
      .regex(/^[\w@:.*-]+$/u)
      .meta({ title: 'supervisord program', examples: ['tg'] })
      .describe('Name of the program'),
    config: anyPath
      .describe("supervisord's configuration; default: where supervisorctl looks by itself")
      .optional(),
    ...readyOptions,
  },
  defaults: {},
  programs: () => [],
});
