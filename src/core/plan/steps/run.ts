// run: a command of the release, with the command that takes it back.
import { z } from 'zod';
import type { Remark } from '../complaint.ts';
import { argv, changes } from '../forms.ts';
import { without } from '../to-plan-values.ts';
import type { Argv, Change } from '../values.ts';
import { defineStep, type Family, line, type RulePlan } from './step.ts';

export interface RunSpec {
  readonly command: Argv;
  readonly changes: readonly Change[];
  readonly undo?: { readonly command: Argv };
}

export const run = defineStep({
  key: 'run',
  form: z
    .strictObject({
      command: argv.describe('Command, run in the checkout of the release'),
      changes: changes.describe('What it may change'),
      undo: z
        .strictObject({ command: argv.describe('Undoes it') })
        .describe('Needed when it changes more than files of the checkout')
        .optional(),
    })
    .describe('Runs a command of the release'),
  toSpec: (file) => without<RunSpec>({ command: file.command, changes: file.changes, undo: file.undo }),
  kinds: {
    run: line<RunSpec>()({
      changes: (spec) => spec.changes,
      undo: { undo: 'undoRun', family: familyOf, when: ({ undo }) => undo !== undefined },
      programs: ({ command, undo }) => [command, ...(undo ? [undo.command] : [])],
    }),
  },
  lines: (spec, name) => [{ kind: 'run', name, spec }],
  rules: [canBeUndone],
});

function familyOf(changed: readonly Change[]): Family {
  if (changed.includes('database')) return 'data';
  return changed.includes('flags') ? 'flag' : 'code';
}

/** Rule 3: what changes more than files of the checkout carries its undo. */
function canBeUndone({ steps }: RulePlan<{ run: RunSpec }>): readonly Remark[] {
  return steps.flatMap(({ run: spec }, at): readonly Remark[] => {
    if (!spec || spec.undo) return [];
    const changed = spec.changes.filter((change) => change !== 'files');
    if (!changed.length) return [];
    return [
      {
        path: ['steps', at, 'run'],
        at: 'key',
        message: `changes ${changed.join(' and ')}, but has no undo`,
        hint: 'add undo: { command: [...] }',
      },
    ];
  });
}
