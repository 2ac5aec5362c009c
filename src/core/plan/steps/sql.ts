// sql: a reviewed SQL file of the release in one transaction, with the file that takes it back.
import { z } from 'zod';
import type { Remark } from '../complaint.ts';
import { duration, path } from '../forms.ts';
import { limitRemarks } from '../lint-limits.ts';
import { ms } from '../to-plan-values.ts';
import { defineStep, line, type RulePlan } from './step.ts';

export interface SqlFileSpec {
  readonly file: string;
  readonly undo: string;
  readonly lockTimeoutMs: number;
  readonly giveUpAfterMs: number;
  readonly statementTimeoutMs: number;
}

export const sql = defineStep({
  key: 'sql',
  form: z
    .strictObject({
      file: path.describe('The SQL file of the release; one transaction, once'),
      undo: path.describe('The SQL file that takes it back'),
      'lock-timeout': duration.describe('How long one try waits for a lock; left out: 50ms').optional(),
      'give-up-after': duration.describe('How long it is tried; left out: 2m').optional(),
      'statement-timeout': duration.describe('How long one statement may run; left out: 5m').optional(),
    })
    .describe('Runs a reviewed SQL file; it is not rehearsed'),
  toSpec: (file): SqlFileSpec => ({
    file: file.file,
    undo: file.undo,
    lockTimeoutMs: ms(file['lock-timeout'] ?? '50ms'),
    giveUpAfterMs: ms(file['give-up-after'] ?? '2m'),
    statementTimeoutMs: ms(file['statement-timeout'] ?? '5m'),
  }),
  kinds: {
    sqlFile: line<SqlFileSpec>()({
      changes: ['database'],
      // Of the schema's family, so that it rolls back in turn with the migrations around it.
      undo: { undo: 'undoSqlFile', family: 'schema' },
      programs: [],
    }),
  },
  lines: (spec, name) => [{ kind: 'sqlFile', name, spec }],
  files: ({ file, undo }) => [file, undo],
  rules: [limitsHold],
});

function limitsHold({ steps }: RulePlan<{ sql: SqlFileSpec }>): readonly Remark[] {
  return steps.flatMap(({ sql: spec }, at) => (spec ? limitRemarks(spec, at, 'sql') : []));
}
