// backup: takes a backup and proves it by a restore, always.
import { z } from 'zod';
import { type BackupToolKey, backupTools } from '../backup-tools/index.ts';
import { pgDump } from '../backup-tools/pg-dump.ts';
import type { Remark } from '../complaint.ts';
import { duration, secretReference } from '../forms.ts';
import { ms } from '../to-plan-values.ts';
import { defineStep, line, type RulePlan } from './step.ts';

export interface BackupSpec {
  readonly tool: BackupToolKey;
  readonly format: 'custom' | 'directory';
  readonly jobs?: number;
  readonly keepMs: number;
  /** The address of the same server under another login, which makes and fills copies of the database. */
  readonly restoreAs?: { readonly env: string } | { readonly file: string };
  /** Absent: the proof restores owners and privileges, too. */
  readonly owners?: false;
}

const keys = Object.keys(backupTools) as [BackupToolKey];

export const backup = defineStep({
  key: 'backup',
  form: z
    .strictObject({
      tool: z.enum(keys).describe(`The tool; default: ${keys[0]}`).optional(),
      ...pgDump.options,
      'restore-as': secretReference
        .describe(
          'The address of the database under another login, which restores copies: for a proof that the ' +
            'login of the application has no right to make',
        )
        .optional(),
      owners: z
        .boolean()
        .describe('false: the proof restores and compares neither owners nor privileges, and says so')
        .optional(),
      keep: duration.describe('How long the backup is kept; the newest proven one is never removed'),
    })
    .describe('Takes a backup and proves it by a restore'),
  toSpec: ({ tool = 'pg_dump', format = pgDump.defaults.format, jobs = 2, keep, ...file }): BackupSpec => ({
    tool,
    format,
    ...(format === 'directory' && { jobs }),
    keepMs: ms(keep),
    ...(file['restore-as'] && { restoreAs: file['restore-as'] as NonNullable<BackupSpec['restoreAs']> }),
    ...(file.owners === false && { owners: false }),
  }),
  kinds: { backup: line<BackupSpec>()({ changes: [], programs: [] }) },
  lines: (spec, name) => [{ kind: 'backup', name, spec }],
  rules: [restoresOneWay],
});

/** Whoever restores under another login owns what is restored, if owners are left out: nobody else could read it. */
function restoresOneWay({ steps }: RulePlan<{ backup: BackupSpec }>): readonly Remark[] {
  return steps.flatMap(({ backup: spec }, at) =>
    spec?.restoreAs && spec.owners === false
      ? [
          {
            path: ['steps', at, 'backup', 'owners'],
            message: 'a proof under another login (restore-as) restores owners, so they cannot be left out',
            hint: 'leave out owners: false, or restore-as',
          },
        ]
      : [],
  );
}
