// backup: takes a backup and proves it by a restore, always.
import { z } from 'zod';
import { type BackupToolKey, backupTools } from '../backup-tools/index.ts';
import { pgDump } from '../backup-tools/pg-dump.ts';
import { duration } from '../forms.ts';
import { ms } from '../to-plan-values.ts';
import { defineStep, line } from './step.ts';

export interface BackupSpec {
  readonly tool: BackupToolKey;
  readonly format: 'custom' | 'directory';
  readonly jobs?: number;
  readonly keepMs: number;
}

const keys = Object.keys(backupTools) as [BackupToolKey];

export const backup = defineStep({
  key: 'backup',
  form: z
    .strictObject({
      tool: z.enum(keys).describe(`The tool; default: ${keys[0]}`).optional(),
      ...pgDump.options,
      keep: duration.describe('How long the backup is kept; the newest proven one is never removed'),
    })
    .describe('Takes a backup and proves it by a restore'),
  toSpec: ({ tool = 'pg_dump', format = pgDump.defaults.format, jobs = 2, keep }): BackupSpec => ({
    tool,
    format,
    ...(format === 'directory' && { jobs }),
    keepMs: ms(keep),
  }),
  kinds: { backup: line<BackupSpec>()({ changes: [], programs: [] }) },
  lines: (spec, name) => [{ kind: 'backup', name, spec }],
  rules: [],
});
