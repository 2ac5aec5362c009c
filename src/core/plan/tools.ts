// The tools a plan may name, one line each: their options as the file writes them, and what is filled in.
// A tool's own code knows what the options mean; here only their form is held (rule 11).
import { z } from 'zod';
import { anyPath, argv, path, table, urlPath, variable } from './forms.ts';
import type { Json } from './plan.ts';

interface Tool<Shape extends z.ZodRawShape> {
  readonly options: Shape;
  readonly defaults: Readonly<Record<string, Json>>;
  readonly meaning: string;
}

const tool = <Shape extends z.ZodRawShape>(
  meaning: string,
  options: Shape,
  defaults: Readonly<Record<string, Json>> = {},
): Tool<Shape> => ({
  options,
  defaults,
  meaning,
});

const folder = path.describe('Folder of the numbered SQL files, each with its down file');
const ledger = table
  .describe('Table in which applied migrations are noted; left out: schema_migrations')
  .optional();
const journal = table
  .describe("The app's own record of what was done; left out of every comparison")
  .optional();
const manage = path.describe("The project's manage.py");
const unit = z
  .string()
  .regex(/^[\w@:.-]+$/u)
  .meta({ title: 'systemd unit', examples: ['gunicorn'] })
  .describe('Name of the unit');
const action = z
  .enum(['restart', 'reload'])
  .describe('What to do with the unit; left out: restart')
  .optional();
const manager = z.enum(['system', 'user']).describe("Whose manager; left out: the system's").optional();
const program = z
  .string()
  .regex(/^[\w@:.*-]+$/u)
  .meta({ title: 'supervisord program', examples: ['tg'] })
  .describe('Name of the program');
const config = anyPath
  .describe("supervisord's configuration; left out: where supervisorctl looks by itself")
  .optional();
const file = anyPath.describe('The compose file');
const composed = z
  .string()
  .regex(/^[\w.-]+$/u)
  .meta({ title: 'service of Compose', examples: ['web'] })
  .describe('Name of the service in it');
const command = argv.describe('Starts the service; run in the release that serves');
const pidFile = anyPath.describe('Where the pid of the running service is kept');
const env = z
  .record(variable, z.string())
  .describe('Values for the service; secrets come from the file of the environment')
  .optional();
const ready = urlPath.describe('The service is up when this answers with 200').optional();
const build = z
  .string()
  .startsWith('/')
  .optional()
  .describe('JSON pointer into the ready answer: the build id, which must be the commit that serves');

/** Tools that migrate a database. */
export const migrators = {
  sql: tool(
    'Numbered SQL files with down files',
    { folder, ledger, journal },
    { ledger: 'schema_migrations' },
  ),
  django: tool('Django migrations', { manage }),
} as const;

/** Tools that restart a service. */
export const restarters = {
  process: tool('A process of its own with a pid file', { command, 'pid-file': pidFile, env, ready, build }),
  systemd: tool(
    'A systemd unit that works in `current`',
    { unit, action, manager, ready, build },
    { action: 'restart', manager: 'system' },
  ),
  supervisor: tool('A program of supervisord that works in `current`', { program, config, ready, build }),
  compose: tool('A service of Docker Compose that mounts `current`; its container is made anew', {
    file,
    service: composed,
    ready,
    build,
  }),
} as const;

/** What the tool is to be told: what was written, and the rest filled in. */
export function optionsOf(
  family: Readonly<Record<string, Tool<z.ZodRawShape>>>,
  name: string,
  written: Readonly<Record<string, unknown>>,
): Readonly<Record<string, Json>> {
  return { ...family[name]?.defaults, ...(written as Readonly<Record<string, Json>>) };
}
