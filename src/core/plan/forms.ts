// The leaves of the plan's file format: each has a title and examples, from which complaints, the
// published JSON Schema and the plan reference are all made.
import { z } from 'zod';
import { quote } from './complaint.ts';
import { LIMIT_PATTERN, type LimitPlace, parseLimit } from './limit.ts';
import { DURATION_PATTERN } from './units.ts';

/** A text of one form. */
export const form = (pattern: RegExp, title: string, ...examples: string[]) =>
  z.string().regex(pattern).meta({ title, examples });

export const text = z.string().min(1).meta({ title: 'text' });
/** Names become parts of workflow ids, queues and folders. */
export const name = form(/^[a-z][a-z0-9-]{0,62}$/u, 'name of a-z, 0-9 and -', 'close-site');
export const category = form(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/u, 'category', 'negative-total');
export const role = form(/^[a-z][a-z0-9-]{0,62}$/u, 'role', 'technical-lead');
export const duration = form(new RegExp(`^${DURATION_PATTERN}$`, 'u'), 'duration', '50ms', '10m', '7d');
/** Below the checkout: neither absolute nor climbing out, and never taken for an option. */
export const path = form(
  /^(?![/~-])(?!.*(?:^|\/)\.\.(?:\/|$))[^\0\\]+$/u,
  'path below the checkout',
  'monitors/database.sql',
);
export const anyPath = form(/^(?!-)[^\0]+$/u, 'path', '/var/www/tg/maintenance.flag');
export const urlPath = form(/^\/(?!\/)\S*$/u, 'path of a URL', '/health');
export const address = form(
  /^https?:\/\/(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(?::[0-9]{1,5})?(?:\/[^\s?#]*[^\s?#/])?$/u,
  'address without user, query or last "/"',
  'https://tg.example.org',
);
export const hostPort = form(
  /^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])$/u,
  'host and port',
  '127.0.0.1:6379',
);
export const pointer = form(/^(?:\/(?:[^~/]|~[01])*)+$/u, 'JSON pointer', '/health_score');
export const gitRef = form(/^(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._/+@-]*$/u, 'branch, tag or commit', 'v1.4.0');
export const table = form(
  /^[A-Za-z_][\w$]*(?:\.[A-Za-z_][\w$]*)?$/u,
  'name of a table',
  'orders',
  'public.orders',
);
export const column = form(/^[A-Za-z_][\w$]*$/u, 'name of a column', 'total');
export const constraint = form(/^[A-Za-z_][\w$]*$/u, 'name of a constraint', 'orders_total_non_negative');
export const constraintPattern = form(/^[\w$*]+$/u, 'name with *', 'orders_*_range');
export const variable = form(/^[A-Za-z_]\w*$/u, 'name of an environment variable', 'DATABASE_URL');
export const pendingName = form(
  /^[A-Za-z0-9_][\w.-]*$/u,
  'name of a migration',
  '0002_order_guards',
  'characters.0003_add_xp_constraints',
);
export const program = form(/^(?!-)\S+$/u, 'name of a program', 'pg_dump');
export const status = z
  .int()
  .min(100)
  .max(599)
  .meta({ title: 'HTTP status', examples: [200] });
export const samples = z
  .int()
  .min(1)
  .max(1_000_000)
  .meta({ title: 'number of samples', examples: [200] });

/** A program and its arguments. */
export const argv = z
  .array(z.string())
  .min(1)
  .superRefine((words, context) => {
    const [first = ''] = words;
    const say = (message: string, hint: string) =>
      context.addIssue({ code: 'custom', message, params: { hint } });
    if (words.length === 0) return;
    if (first.trim() === '')
      say('the first word names the program; it is empty', 'e.g. [python, manage.py, check]');
    else if (first.startsWith('-'))
      say(
        `the first word names the program, ${quote(first)} is an option`,
        'e.g. [python, manage.py, check]',
      );
    else if (words.length === 1 && /\s/u.test(first))
      say(
        'is one word for a whole command line; there is no shell',
        `one word per argument: ${argvOf(first)}`,
      );
  })
  .meta({
    title: 'command: a program and its arguments, no shell',
    examples: [['python', 'manage.py', 'check']],
  });

/** A line as a list, for the hint: `[python, manage.py, check]`. */
export function argvOf(line: string): string {
  const words = line.trim().split(/\s+/u).slice(0, 12);
  return `[${words.map((word) => (/^[\w./=:@+-]+$/u.test(word) && /[A-Za-z/]/u.test(word) ? word : JSON.stringify(word))).join(', ')}]`;
}

/** A threshold whose place alone says what its number may be. */
export function threshold(place: Exclude<LimitPlace, object>, ...examples: string[]) {
  return z
    .string()
    .superRefine((words, context) => {
      const result = parseLimit(words, place);
      if ('message' in result)
        context.addIssue({ code: 'custom', message: result.message, params: { hint: result.hint } });
    })
    .meta({ title: 'threshold', examples, pattern: LIMIT_PATTERN });
}

/** A threshold that is always `at most` a duration. */
export const atMost = form(new RegExp(`^at most ${DURATION_PATTERN}$`, 'u'), 'upper limit', 'at most 5m');
/** A threshold of a metric; what its number may be depends on the metric's unit. */
export const metricThreshold = z.string().meta({
  title: 'threshold',
  examples: ['at least 95%', 'exactly 0 per day', 'above 2 in a row', 'at most 110% of baseline for 10m'],
  pattern: LIMIT_PATTERN,
});

/** Any JSON value; what the YAML reader returns holds nothing else. */
export const json = z
  .unknown()
  .refine((value) => isJson(value, 0), { error: 'is not plain JSON' })
  .meta({ title: 'any value' });

function isJson(value: unknown, depth: number): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  return (
    typeof value === 'object' &&
    depth < 64 &&
    Object.values(value).every((member) => isJson(member, depth + 1))
  );
}

/** One or several of these. */
export function oneOrMore<T extends z.ZodType>(item: T) {
  const { title = 'value', examples } = item.meta() ?? {};
  return z.union([item, z.array(item).min(1)]).meta({ title: `${title}, or a list of them`, examples });
}

type Optional<Shape extends z.ZodRawShape> = {
  [Key in keyof Shape]: Shape[Key] extends z.ZodType ? z.ZodOptional<Shape[Key]> : never;
};

/** How the remark ends on an object without a kind key: a consequence where an unknown key stands. */
export const NO_KIND = 'none';

/** An object with exactly one of these kind keys beside the shared ones. */
export function oneKind<Kinds extends z.ZodRawShape, Shared extends z.ZodRawShape>(
  noun: string,
  kinds: Kinds,
  shared: Shared,
) {
  const keys = Object.keys(kinds);
  const optional = Object.fromEntries(
    Object.entries(kinds).map(([key, kind]) => [key, z.optional(kind)]),
  ) as Optional<Kinds>;
  return z
    .strictObject({ ...shared, ...optional })
    .superRefine(
      (value: unknown, context) => {
        if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
        const found = keys.filter((key) => Object.hasOwn(value, key));
        if (found.length === 1) return;
        const message = `${noun} has exactly one kind key, this one has ${found.join(' and ') || NO_KIND}`;
        context.addIssue({ code: 'custom', message, params: { hint: `one of: ${keys.join(', ')}` } });
      },
      { when: () => true },
    )
    .meta({ title: noun, oneOf: keys.map((key) => ({ required: [key] })) });
}

/** Where a secret lies; the plan never holds it. */
export const secretReference = oneKind(
  'a reference',
  {
    env: variable.describe("A variable of the worker's own environment"),
    file: anyPath.describe('A file beside the worker'),
  },
  {},
).meta({ title: 'reference', examples: [{ env: 'RESTORE_URL' }, { file: 'secrets/restore-url' }] });

/** A value of a command's environment: words, the database in hand, or a reference to a secret. */
export const environmentValue = z
  .union([
    z.string(),
    oneKind(
      'a reference',
      {
        from: z
          .literal('database')
          .describe('The address of the database in hand: the target, or the scratch copy in a rehearsal'),
        env: variable.describe("A variable of the worker's own environment"),
        file: anyPath.describe('A file beside the worker'),
      },
      {},
    ),
  ])
  .meta({
    title: 'text or reference',
    examples: [{ from: 'database' }, { env: 'SECRET_KEY' }, { file: 'secrets/key' }],
  });

/** What a command may change. */
export const changes = z
  .array(z.enum(['database', 'files', 'processes', 'flags']))
  .meta({ title: 'list', examples: [['files']] });
