// The file format of a step: one strict object with a name, exactly one kind key and an optional `in`.
import { z } from 'zod';
import {
  argv,
  threshold,
  category,
  column,
  constraint,
  constraintPattern,
  duration,
  hostPort,
  json,
  name,
  oneKind,
  oneOrMore,
  path,
  pointer,
  program,
  samples,
  status,
  table,
  text,
  urlPath,
} from './forms.ts';

export const changes = z
  .array(z.enum(['database', 'files', 'processes', 'flags']))
  .meta({ title: 'list', examples: [['files']] });
const command = argv.describe('What is run, in the checkout of the release');

const httpCheck = z
  .strictObject({
    get: oneOrMore(urlPath).describe('Paths below the address of the environment'),
    status: status.describe('Expected status; left out: 200').optional(),
    json: z.record(pointer, json).describe('JSON pointer into the answer → expected value').optional(),
    within: duration.describe('How long it is tried until the answer is right; left out: 30s').optional(),
    samples: samples.describe('How many requests are measured').optional(),
    mean: threshold('mean', 'at most 110% of baseline', 'at most 300ms')
      .describe('Limit of the mean time of an answer')
      .optional(),
  })
  .describe('Asks the service over HTTP');

const columnExpectation = z.strictObject({
  table: table.describe('Its table'),
  column: column.describe('Its name'),
  type: text.describe('Its type, as PostgreSQL prints it').optional(),
  nullable: z.boolean().describe('Whether it may be null').optional(),
  default: z.string().describe('Its default, as PostgreSQL prints it').optional(),
});

const constraintExpectation = z.union([
  constraint,
  z.strictObject({
    like: constraintPattern.describe('Name with *'),
    exactly: z.int().min(0).describe('How many there must be'),
  }),
]);

const returns = z
  .union([
    z.literal('no rows'),
    z.strictObject({
      value: threshold('value', 'exactly 0', 'at least 1000').describe(
        'Threshold of the only value that comes back',
      ),
    }),
    z.strictObject({
      rows: threshold('value', 'at least 1', 'at most 100').describe('Threshold of how many rows come back'),
    }),
    z.strictObject({
      golden: path.describe('File of the release with the very rows as JSON; the query orders them'),
    }),
  ])
  .meta({ title: 'result', examples: ['no rows', { value: 'exactly 0' }] })
  .describe('What the query must return');

const junit = z.strictObject({
  file: path.describe('Report that the command writes'),
  passed: z.int().min(0).describe('How many tests must pass'),
  skipped: z.int().min(0).describe('How many may be skipped; left out: 0').optional(),
});

function isPattern(written: string): boolean {
  try {
    new RegExp(written, 'mu');
    return written.includes('(?<');
  } catch {
    return false;
  }
}

const textReport = z.strictObject({
  pattern: text
    .refine(isPattern, {
      error: 'is no regular expression with named groups',
      params: { hint: 'e.g. "(?<passed>\\d+) passed, (?<failed>\\d+) failed"' },
    })
    .describe('Regular expression with named groups; the first place that fits counts'),
  groups: z
    .record(
      column,
      z.union([
        threshold('value', 'at least 90', 'exactly 0'),
        z.strictObject({ is: text.describe('The very words') }),
      ]),
    )
    .describe('Group → its threshold, or the words it must be'),
});

/** A question about the target with a verdict. */
export const check = oneKind(
  'a check',
  {
    constraints: z
      .array(constraintExpectation)
      .min(1)
      .describe('Constraints that must stand in the database and be valid'),
    columns: z.array(columnExpectation).min(1).describe('Columns that must stand in the database'),
    sql: text.describe('A query, run read-only'),
    http: httpCheck,
    command: argv.describe('A command of the release; anything but exit code 0 fails'),
  },
  {
    returns: returns.optional(),
    json: z
      .record(pointer, json)
      .describe('JSON pointer into what the command prints → expected value')
      .optional(),
    junit: junit.describe('Counts of the test report that the command writes').optional(),
    text: textReport.describe('What the command prints for people, read by named groups').optional(),
    within: duration.describe('How long the query may take').optional(),
    changes: changes
      .describe('What the command may change; left out: nothing, its database session is read-only')
      .optional(),
  },
)
  .superRefine((value, context) => {
    const kind = ['constraints', 'columns', 'sql', 'http', 'command'].find((key) =>
      Object.hasOwn(value, key),
    );
    const owner = {
      returns: 'sql',
      within: 'sql',
      json: 'command',
      junit: 'command',
      text: 'command',
      changes: 'command',
    } as const;
    for (const [key, of] of Object.entries(owner)) {
      if (kind && Object.hasOwn(value, key) && kind !== of)
        context.addIssue({
          code: 'custom',
          path: [key],
          message: `goes with ${of}, not with ${kind}`,
          params: { hint: 'take it out', at: 'key' },
        });
    }
    if (kind === 'sql' && value.returns === undefined)
      context.addIssue({
        code: 'custom',
        path: ['returns'],
        message: 'is missing',
        params: { hint: 'say what the query must return: "no rows", or { value: exactly 0 }' },
      });
  })
  .describe('A question about the target with a verdict');

const rule = z.strictObject({
  rule: category.describe('Name of the rule; the category of its findings'),
  table: table.describe('The table it is about'),
  bad: text.describe('SQL condition that is true for a bad row'),
  fix: text.describe('SQL assignments that make the row good; without it people decide').optional(),
  message: text.describe('What people read about such a row').optional(),
});

const data = z
  .strictObject({
    rules: z.array(rule).min(1).describe('Rules on rows, in SQL').optional(),
    check: z
      .strictObject({ command: argv.describe('Prints the findings as JSON') })
      .describe('A command that finds bad rows')
      .optional(),
    fix: z
      .strictObject({
        command: argv.describe('Corrects what a machine may correct'),
        tables: z.array(table).min(1).describe('Tables whose rows it may change; left out: any').optional(),
      })
      .describe('A command that corrects them; every changed row is kept as it was')
      .optional(),
    'people-decide': z
      .record(category, z.array(category).min(1))
      .describe('Category → answers a person may give; no machine ever changes these rows')
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
  .describe('Finds bad rows, corrects what may be corrected, and finds again');

const forbiddenWrite = z.strictObject({
  table: table.describe('The table written to'),
  set: z
    .record(column, json)
    .refine((set) => Object.keys(set).length > 0, {
      error: 'sets no column, so nothing is tried',
      params: { hint: 'e.g. set: { total: -1 }' },
    })
    .meta({ title: 'columns', examples: [{ total: -1 }] })
    .describe('Values to set on one existing row'),
  by: constraint.describe('The constraint that must refuse it'),
});

/** The kinds of step, as written. */
export const stepKinds = {
  preflight: z
    .strictObject({
      tools: z.array(program).describe('Programs that must be there').optional(),
      reach: z
        .array(hostPort)
        .min(1)
        .describe('Services beside the database that must take a connection')
        .optional(),
      disk: threshold('disk', 'at least 300% of database', 'at least 20GB').describe('Free disk').optional(),
    })
    .describe('Looks whether everything is there; changes nothing'),
  baseline: z
    .strictObject({
      http: z
        .strictObject({
          get: oneOrMore(urlPath).describe('Paths to measure'),
          samples: samples.describe('Requests for each path; left out: 200').optional(),
        })
        .describe('Times of answers')
        .optional(),
    })
    .describe('Records the figures that `of baseline` is measured against'),
  maintenance: z.enum(['enter', 'leave']).describe('Closes or opens the service to its users'),
  backup: z
    .strictObject({
      tool: z.literal('pg_dump').describe('The tool; left out: pg_dump').optional(),
      format: z
        .enum(['custom', 'directory'])
        .describe('One file, or a folder dumped and restored by several sessions; left out: custom')
        .optional(),
      jobs: z.int().min(1).max(64).describe('Sessions of a directory dump; left out: 2').optional(),
      keep: duration.describe('How long the backup is kept'),
    })
    .describe('Takes a backup and proves it by a restore, always'),
  data,
  preview: z
    .strictObject({
      lint: z.enum(['error', 'warn', 'skip']).describe('What a dangerous statement means'),
      rehearse: z.enum(['up-down-up', 'up', 'skip']).describe('What is walked on the restored copy'),
      moves: z
        .array(table)
        .min(1)
        .describe('Tables whose rows the migration moves, changes or drops; the rehearsal proposes them')
        .optional(),
    })
    .describe('Shows the migration and rehearses it on the restored copy'),
  migrate: z
    .strictObject({
      'lock-timeout': duration.describe('How long one try waits for a lock'),
      'give-up-after': duration.describe('How long it is tried'),
      'statement-timeout': duration.describe('How long one statement may run'),
    })
    .describe('Applies exactly the pending migrations'),
  check,
  forbidden: z
    .array(forbiddenWrite)
    .min(1)
    .describe('Writes that must be refused, each in a transaction that is always rolled back'),
  run: z
    .strictObject({
      command,
      changes: changes.describe('What it may change'),
      undo: z
        .strictObject({ command: argv.describe('Takes it back') })
        .describe('Needed when it changes more than files of the checkout')
        .optional(),
    })
    .describe('Runs a command of the release'),
  switch: z.literal('release').describe('Makes the new checkout the serving one'),
  restart: z.array(name).min(1).describe('Restarts services of the environment, in this order'),
  flows: path.describe('File of scripted requests'),
} as const;

/** One line of the list of steps. */
export const step = oneKind('a step', stepKinds, {
  step: name.describe('Name of the step, unique within an environment'),
  in: z.array(name).min(1).describe('Environments that it is kept to; left out: all').optional(),
});
