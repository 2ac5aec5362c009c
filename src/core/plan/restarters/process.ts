// A process of its own.
import { z } from 'zod';
import { anyPath, argv, variable } from '../forms.ts';
import { defineTool } from '../tool.ts';
import { readyOptions } from './ready.ts';

export const processTool = defineTool({
  key: 'process',
  meaning: 'A process of its own with a pid file',
  options: {
    command: argv.describe('Starts the service; run in the release that serves'),
    'pid-file': anyPath.describe('Where the pid of the running service is kept'),
    env: z
      .record(variable, z.string())
      .describe('Values for the service; secrets come from the file of the environment')
      .optional(),
    ...readyOptions,
  },
  defaults: {},
  programs: ({ command }) => [command],
});
