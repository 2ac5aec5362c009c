// A systemd unit.
import { z } from 'zod';
import { defineTool } from '../tool.ts';
import { readyOptions } from './ready.ts';

export const systemd = defineTool({
  key: 'systemd',
  meaning: 'A systemd unit that works in `current`',
  options: {
    unit: z
      .string()
      .regex(/^[\w@:.-]+$/u)
      .meta({ title: 'systemd unit', examples: ['gunicorn'] })
      .describe('Name of the unit'),
    action: z.enum(['restart', 'reload']).describe('What to do with the unit; default: restart').optional(),
    manager: z.enum(['system', 'user']).describe("Whose manager; default: the system's").optional(),
    ...readyOptions,
  },
  defaults: { action: 'restart', manager: 'system' },
  programs: () => [],
});
