// pg_dump, in one file or in a folder.
import { z } from 'zod';
import { defineTool } from '../tool.ts';

export const pgDump = defineTool({
  key: 'pg_dump',
  meaning: 'pg_dump of PostgreSQL',
  options: {
    format: z
      .enum(['custom', 'directory'])
      .describe('One file, or a folder dumped and restored by several sessions; default: custom')
      .optional(),
    jobs: z.int().min(1).max(64).describe('Sessions of a directory dump; default: 2').optional(),
  },
  defaults: { format: 'custom' },
  programs: () => [],
});
