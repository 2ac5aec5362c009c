// backup: takes a backup and proves it by a restore, always.
import { z } from 'zod';
import { duration } from '../forms.ts';
import { ms } from '../to-plan-values.ts';
import { defineStep, line } from './step.ts';

export interface BackupSpec {
  readonly tool: 'pg_dump';
  readonly format: 'custom' | 'directory';
  readonly jobs?: number;
  readonly keepMs: number;
}

export const backup = defineStep({
  key: 'backup',
  form: z
    .strictObject({
      tool: z.literal('pg_dump').describe('The tool; left out: pg_dump').optional(),
      format: z
        .enum(['custom', 'directory'])
        .describe('One file, or a folder dumped and restored by several sessions; left out: custom')
        .optional(),
      jobs: z.int().min(1).max(64).describe('Sessions of a directory dump; left out: 2').optional(),
      keep: duration.describe('How long the backup is kept; the newest proven one is never removed'),
    })
    .describe('Takes a backup and proves it by a restore, always'),
  toSpec: ({ format = 'custom', jobs = 2, keep }): BackupSpec => ({
    tool: 'pg_dump',
    format,
    ...(format === 'directory' && { jobs }),
    keepMs: ms(keep),
  }),
  kinds: { backup: line<BackupSpec>()({ changes: [], programs: [] }) },
  lines: (spec, name) => [{ kind: 'backup', name, spec }],
  rules: [],
});
