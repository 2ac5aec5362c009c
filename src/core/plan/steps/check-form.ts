// The form of a check in the plan.
import { z } from 'zod';
import {
  argv,
  changes,
  column,
  constraint,
  constraintPattern,
  duration,
  json,
  oneKind,
  oneOrMore,
  path,
  pointer,
  samples,
  status,
  table,
  text,
  threshold,
  urlPath,
} from '../forms.ts';

const httpCheck = z
  .strictObject({
    get: oneOrMore(urlPath).describe('Paths below the address of the environment'),
    status: status.describe('Expected status; default: 200').optional(),
    json: z.record(pointer, json).describe('JSON pointer into the answer → expected value').optional(),
    within: duration.describe('How long to retry until the answer is right; default: 30s').optional(),
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
        'Threshold for the single value that the query returns',
      ),
    }),
    z.strictObject({
      rows: threshold('value', 'at least 1', 'at most 100').describe('Threshold for the number of rows'),
    }),
    z.strictObject({
      golden: path.describe('File of the release with the exact rows as JSON; the query must order them'),
    }),
  ])
  .meta({ title: 'result', examples: ['no rows', { value: 'exactly 0' }] })
  .describe('What the query must return');

const junit = z.strictObject({
  file: path.describe('Test report that the command writes'),
  passed: z.int().min(0).describe('How many tests must pass'),
  skipped: z.int().min(0).describe('How many may be skipped; default: 0').optional(),
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
    .describe('Regular expression with named groups; the first match counts'),
  groups: z
    .record(
      column,
      z.union([
        threshold('value', 'at least 90', 'exactly 0'),
        z.strictObject({ is: text.describe('The exact text') }),
      ]),
    )
    .describe('Group → its threshold, or the exact text'),
});

/** A question about the target with a verdict. */
export const checkForm = oneKind(
  'a check',
  {
    constraints: z
      .array(constraintExpectation)
      .min(1)
      .describe('Constraints that must exist in the database and be valid'),
    columns: z.array(columnExpectation).min(1).describe('Columns that must exist in the database'),
    sql: text.describe('A query, run read-only'),
    http: httpCheck,
    command: argv.describe('A command of the release; every exit code except 0 fails'),
  },
  {
    returns: returns.optional(),
    json: z
      .record(pointer, json)
      .describe('JSON pointer into what the command prints → expected value')
      .optional(),
    junit: junit.describe('Counts of the test report that the command writes').optional(),
    text: textReport.describe('Parses the text output of the command by named groups').optional(),
    within: duration.describe('How long the query may take').optional(),
    changes: changes
      .describe('What the command may change; default: nothing, and its database session is read-only')
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
  .describe('Checks the target and gives a verdict');
