// The commands of one activity: what they inherit, what they are told of the database, what is kept of their
// output.
import { cancellationSignal } from '@temporalio/activity';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fail } from '../../src/core/failures.ts';
import type { EnvValue } from '../../src/core/plan/plan.ts';
import { takenOver } from '../../src/core/programs.ts';
import type { StepList } from '../../src/core/step-list.ts';
import { type CommandResult, runCommand } from '../../src/io/command.ts';
import { dumpEnvironment, pgEnvironment, sessionOptions } from '../../src/io/postgres.ts';
import { tail } from '../../src/io/redact.ts';
import { resolveSecret } from '../../src/io/settings.ts';

export interface RunOptions {
  /** Another database than the target: the scratch copy. */
  readonly url?: string;
  readonly timeoutMs?: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Not into the step's log: a monitor is read thousands of times. */
  readonly quiet?: boolean;
}

export interface Commands {
  /** Runs a program of Soakgate's own choosing (psql, pg_dump) against a database, with the tag. */
  runTool(argv: readonly string[], options?: RunOptions): Promise<CommandResult>;
  /** Runs one of the release's own commands in its checkout. */
  runRelease(
    argv: readonly string[],
    options?: RunOptions & { readonly readOnly?: boolean },
  ): Promise<CommandResult>;
}

/** Where the commands of an activity run. */
interface Place {
  readonly list: StepList;
  readonly root: string;
  readonly checkout: string;
  readonly url: string;
  readonly tag: string;
  readonly notes: string;
  /** Of the environment's guardrails. */
  readonly programs: readonly string[];
  readonly log: (text: string) => Promise<unknown>;
}

/** The two ways to run a command. */
export function commandsOf(place: Place): Commands {
  const { root, tag } = place;
  const run = runner(place);
  return {
    runTool: (argv, options = {}) =>
      run(
        argv,
        { ...baseEnvironment(), ...toolEnvironment(argv, options.url ?? place.url, tag), ...options.env },
        { cwd: root, ...options },
      ),
    runRelease: async (argv, options = {}) => {
      refuseTakenOver(argv[0] ?? '', place);
      const url = options.url ?? place.url;
      const env = await releaseEnvironment({ ...place, url }, options.readOnly === true);
      return run(argv, { ...env, ...options.env }, options);
    },
  };
}

/**
 * A bare name means another program where a folder of the checkout holds one of that name.
 * @throws StepFailure GUARDRAIL_NOT_MET.
 */
function refuseTakenOver(program: string, { list, checkout, programs }: Place): void {
  const { path } = list.commands;
  const found =
    path.length === 0
      ? undefined
      : takenOver(program, path, programs, (below) => existsSync(join(checkout, below)));
  if (found === undefined) return;
  const where =
    found === program
      ? `${program} is in none of the folders ${path.join(', ')} of this checkout, and only there it`
      : `${program} is ${found} in this checkout, which`;
  const named = programs.join(', ') || 'none';
  const verb = found === program ? 'is allowed' : 'the guardrails of the environment do not allow';
  fail('GUARDRAIL_NOT_MET', `${where} ${verb} (allowed: ${named})`);
}

const DUMPS = ['pg_dump', 'pg_restore'];
const toolEnvironment = ([program = '']: readonly string[], url: string, tag: string) =>
  DUMPS.includes(program) ? dumpEnvironment(url, tag) : pgEnvironment(url, tag);

type Run = (
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  options: RunOptions,
) => Promise<CommandResult>;

/**
 * Output is parsed as it was printed (a password that is a common word would change what it says); what is
 * kept of it is redacted.
 */
function runner({ checkout, notes, log }: Place): Run {
  return async (argv, env, options) => {
    const signal = cancellationSignal();
    if (!options.quiet) await log(`$ ${argv.join(' ')}`);
    const result = await runCommand({
      argv,
      env,
      cwd: options.cwd ?? checkout,
      notes,
      signal,
      ...(options.timeoutMs !== undefined && { timeoutMs: options.timeoutMs }),
    });
    if (options.quiet) return result;
    signal.throwIfAborted();
    await log(
      `${tail(result.stdout)}${tail(result.stderr)}→ exit ${result.exitCode ?? result.killedBy} ` +
        `after ${Math.round(result.tookMs)} ms`,
    );
    return result;
  };
}

/** What a command inherits: a search path, a home, a language; nothing that could be a secret. */
export function baseEnvironment(): Record<string, string> {
  return {
    PATH: [process.env['SOAKGATE_PG_BIN'], dirname(process.execPath), process.env['PATH']]
      .filter(Boolean)
      .join(':'),
    HOME: process.env['HOME'] ?? '/',
    LANG: 'C.UTF-8',
  };
}

async function releaseEnvironment(
  { list, checkout, url, tag }: Place,
  readOnly: boolean,
): Promise<Record<string, string>> {
  const base = baseEnvironment();
  const own = await Promise.all(
    Object.entries(list.commands.env).map(
      async ([name, value]) => [name, await commandValue(value, url)] as const,
    ),
  );
  return {
    ...base,
    PATH: [...list.commands.path.map((folder) => join(checkout, folder)), base['PATH']].join(':'),
    // psql and the like find the database as libpq does, if the plan hands it out at all.
    ...(Object.values(list.commands.env).some((value) => typeof value === 'object' && 'from' in value) &&
      pgEnvironment(url, tag)),
    ...Object.fromEntries(own),
    PGAPPNAME: tag,
    ...(readOnly && { PGOPTIONS: sessionOptions(url, '-c default_transaction_read_only=on') }),
  };
}

/** One value of `commands.env`. */
export async function commandValue(value: EnvValue, url: string): Promise<string> {
  if (typeof value === 'string') return value;
  if ('from' in value) return url;
  return resolveSecret(value);
}
