// Options that several commands share, and how their values are read.
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Pace } from '../core/pace.ts';
import { parseDuration } from '../core/plan/units.ts';
import { LOG_LEVELS, type LogLevel } from '../io/log-level.ts';

/** A server for all commands that can speak through one. */
export const SERVER_VARIABLE = 'SOAKGATE_SERVER';

export interface OutputOption {
  readonly output: 'text' | 'json';
}

/** `-o text|json` */
export function withOutput(command: Command): Command {
  return command.addOption(
    new Option('-o, --output <format>', 'output format').choices(['text', 'json']).default('text'),
  );
}

export interface ServerOption {
  readonly server?: string;
}

/** Read by src/cli/door.ts alone. */
export function withServer(command: Command): Command {
  return command.addOption(
    new Option('--server <url>', 'use this Soakgate server instead of a direct connection to Temporal').env(
      SERVER_VARIABLE,
    ),
  );
}

/** For commands that no server can do in their place. */
export const withoutServer = (command: Command): Command =>
  command.addOption(
    new Option('--server <url>', 'not supported: needs a direct connection to Temporal (TEMPORAL_ADDRESS)'),
  );

export interface LogOption {
  readonly logLevel: LogLevel;
}

/** For processes that stay: how much they say on stderr. */
export const withLogLevel = (command: Command): Command =>
  command.addOption(
    new Option('--log-level <level>', 'how much the log on stderr says')
      .choices([...LOG_LEVELS])
      .env('SOAKGATE_LOG_LEVEL')
      .default('info'),
  );

/** Each example with what it does, at the end of a command's help. */
export function withExamples(
  command: Command,
  examples: readonly (readonly [call: string, meaning: string])[],
): Command {
  const lines = examples.map(([call, meaning]) => `  # ${meaning}\n  $ ${call}`);
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}

/** `10m`, `7d` as milliseconds. */
export function readDuration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms <= 0)
    throw new InvalidArgumentError('write a duration like 90s, 10m, 6h or 7d.');
  return ms;
}

/** `7d=60s`: seven days of the plan pass in sixty seconds. */
export function readPace(text: string): Pace {
  const [nominal = '', real = '', ...rest] = text.split('=');
  const [nominalMs, realMs] = [parseDuration(nominal), parseDuration(real)];
  if (!nominalMs || !realMs || rest.length > 0 || realMs > nominalMs)
    throw new InvalidArgumentError('write PLAN_TIME=REAL_TIME, like 7d=60s.');
  return { nominalMs, realMs };
}

/** A positive whole number. */
export function readCount(text: string): number {
  if (!/^[1-9][0-9]{0,5}$/u.test(text)) throw new InvalidArgumentError('write a whole number above 0.');
  return Number(text);
}

/** Deployments and people name files and workflow ids, so their names are plain. */
export function readName(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/u.test(text))
    throw new InvalidArgumentError(
      'use letters, digits, dots, hyphens and underscores, at most 100, beginning with a letter or digit.',
    );
  return text;
}

/** An option that may be given more than once. */
export const gather = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  value,
];

export const paceOption = (command: Command): Command =>
  command.option(
    '--pace <plan=real>',
    'compress soaks and waiting times, e.g. 7d=60s (the environment must allow it)',
    readPace,
  );
