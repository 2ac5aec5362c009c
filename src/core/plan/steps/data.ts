// data: finds bad rows, corrects what may be corrected, and finds again.
import { z } from 'zod';
import { quote, type Remark, unknownName } from '../complaint.ts';
import { argv, category, table, text } from '../forms.ts';
import { without } from '../to-plan-values.ts';
import type { Argv } from '../values.ts';
import { defineStep, line, type Made, type RulePlan } from './step.ts';

export interface RowRule {
  readonly name: string;
  readonly table: string;
  /** SQL condition that is true for a BAD row. */
  readonly bad: string;
  /** SQL assignments that make the row good; without it people decide. */
  readonly fix?: string;
  readonly message?: string;
}

export interface DataSpec {
  readonly check?: { readonly command: Argv };
  /** `tables`: those whose rows the command may change; empty when the plan does not say, then any. */
  readonly fix?: { readonly command: Argv; readonly tables: readonly string[] };
  readonly rules: readonly RowRule[];
  /** category → allowed answers of a person for findings that no machine changes. */
  readonly peopleDecide: Readonly<Record<string, readonly string[]>>;
}

/** `first` tells what will be fixed, `last` judges what is left. */
export type CheckDataSpec = DataSpec & { readonly pass: 'first' | 'last' };

const rule = z.strictObject({
  rule: category.describe('Name of the rule; the category of its findings'),
  table: table.describe('The table it is about'),
  bad: text.describe('SQL condition that is true for a bad row'),
  fix: text.describe('SQL assignments that fix the row; without them people decide').optional(),
  message: text.describe('Message for people about such a row').optional(),
});

const form = z
  .strictObject({
    rules: z.array(rule).min(1).describe('Rules on rows, in SQL').optional(),
    check: z
      .strictObject({ command: argv.describe('Prints the findings as JSON') })
      .describe('A command that finds bad rows')
      .optional(),
    fix: z
      .strictObject({
        command: argv.describe('A command that fixes what may be fixed automatically'),
        tables: z.array(table).min(1).describe('Tables whose rows it may change; default: any').optional(),
      })
      .describe('A command that corrects them; every changed row is kept as it was')
      .optional(),
    'people-decide': z
      .record(category, z.array(category).min(1))
      .describe('Category → allowed decisions of people; Soakgate never changes these rows')
      .optional(),
  })
  .superRefine((value, context) => {
    if (value.check === undefined && value.rules === undefined)
      context.addIssue({
        code: 'custom',
        message: 'finds nothing: it has neither rules nor a check',
        params: { hint: 'e.g. check: { command: [python, manage.py, validate_data, --json] }' },
      });
  })
  .describe('Finds bad rows, fixes what may be fixed, and checks again');

const programs = ({ check, fix }: DataSpec): readonly Argv[] =>
  [check, fix].flatMap((part) => (part ? [part.command] : []));

const kinds = {
  checkData: line<CheckDataSpec>()({ changes: [], programs }),
  fixData: line<DataSpec>()({
    changes: ['database'],
    undo: { undo: 'undoFix', family: 'data', until: 'migrate' },
    programs,
  }),
} as const;

export const data = defineStep({
  key: 'data',
  form,
  toSpec: (file) =>
    without<DataSpec>({
      check: file.check,
      fix: file.fix && { command: file.fix.command, tables: file.fix.tables ?? [] },
      rules: (file.rules ?? []).map((written) =>
        without<RowRule>({
          name: written.rule,
          table: written.table,
          bad: written.bad,
          fix: written.fix,
          message: written.message,
        }),
      ),
      peopleDecide: file['people-decide'] ?? {},
    }),
  kinds,
  lines,
  judges: true,
  rules: [findsAndDecides],
});

/** Where something may be fixed, it is looked at before and after. */
function lines(spec: DataSpec, name: string): readonly Made<typeof kinds>[] {
  const fixable = spec.fix || spec.rules.some(({ fix }) => fix);
  if (!fixable) return [{ kind: 'checkData', name, spec: { ...spec, pass: 'last' } }];
  return [
    { kind: 'checkData', name, spec: { ...spec, pass: 'first' } },
    { kind: 'fixData', name: `${name}: fix`, spec },
    { kind: 'checkData', name: `${name}: again`, spec: { ...spec, pass: 'last' } },
  ];
}

/** Findings need an answer: a rule's own fix, or words that people may choose from, never both. */
function findsAndDecides({ steps }: RulePlan<{ data: DataSpec }>): readonly Remark[] {
  return steps.flatMap(({ data: spec }, at): readonly Remark[] =>
    spec ? [...twiceRemarks(spec, at), ...decideRemarks(spec, at), ...uncheckedRemarks(spec, at)] : [],
  );
}

function twiceRemarks({ rules }: DataSpec, at: number): readonly Remark[] {
  const names = rules.map(({ name }) => name);
  return rules.flatMap(({ name }, place) =>
    names.indexOf(name) < place
      ? [
          {
            path: ['steps', at, 'data', 'rules', place, 'rule'],
            message: `the rule ${quote(name)} is listed twice`,
            hint: 'give it another name',
          },
        ]
      : [],
  );
}

function decideRemarks({ rules, check, peopleDecide }: DataSpec, at: number): readonly Remark[] {
  const names = rules.map(({ name }) => name);
  return Object.keys(peopleDecide).flatMap((decided): readonly Remark[] => {
    const path = ['steps', at, 'data', 'people-decide', decided];
    if (rules.some(({ name, fix }) => name === decided && fix !== undefined))
      return [
        {
          path,
          at: 'key',
          message: `the rule ${quote(decided)} has a fix, so a machine would change these rows`,
          hint: 'take out its fix, or this line',
        },
      ];
    return check || names.includes(decided)
      ? []
      : [{ ...unknownName(path, 'rule', decided, names), at: 'key' }];
  });
}

function uncheckedRemarks({ fix, check }: DataSpec, at: number): readonly Remark[] {
  if (!fix || check) return [];
  return [
    {
      path: ['steps', at, 'data', 'fix'],
      at: 'key',
      message: 'a fix without a check corrects what nobody has found',
      hint: 'add check: { command: [...] }',
    },
  ];
}
