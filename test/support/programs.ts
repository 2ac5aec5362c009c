// The tests' door to programs that end by themselves. Each has a limit, so that none hangs a run; what may
// wait for a network
// (npm, pip, docker) goes through `run`, which leaves the event loop and with it vitest's own limits alive.
import { execFileSync } from 'node:child_process';
import { type CommandResult, runCommand } from '../../src/io/command.ts';

const LIMIT_MS = 120_000;

export interface Surroundings {
  readonly cwd?: string;
  /**
   * The whole environment; default: the caller's, with its proxy, its certificates and its settings of npm
   * and pip.
   */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly limitMs?: number;
  readonly input?: string;
}

/**
 * Runs a program to its end; a code other than 0 is a result. @throws Error when the limit is over: the whole
 * process group is ended.
 */
export async function run(
  program: string,
  args: readonly string[],
  options: Surroundings = {},
): Promise<CommandResult> {
  const { cwd, env = process.env, limitMs = LIMIT_MS, input } = options;
  const result = await runCommand({
    argv: [program, ...args],
    env: Object.fromEntries(
      Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    ),
    timeoutMs: limitMs,
    ...(cwd !== undefined && { cwd }),
    ...(input !== undefined && { input }),
  });
  if (result.timedOut)
    throw new Error(
      `${program} ${args.join(' ')} did not end within ${limitMs / 1000} s\n${result.stderr.slice(-2_000)}`,
    );
  return result;
}

/** The same where anything but 0 is a mistake of the test. @returns what it printed on stdout. */
export async function ran(
  program: string,
  args: readonly string[],
  options: Surroundings = {},
): Promise<string> {
  const { exitCode, killedBy, stdout, stderr } = await run(program, args, options);
  if (exitCode !== 0) {
    const what = `${program} ${args.join(' ')} ended with ${exitCode ?? killedBy}:\n${stderr || stdout}`;
    throw Object.assign(new Error(what), { code: exitCode, stdout, stderr });
  }
  return stdout;
}

/**
 * For a program of this machine that is done in a moment (git, cp, ps), where there is nothing to wait for.
 * @throws Error unless it ends with 0.
 */
export const ranNow = (
  program: string,
  args: readonly string[],
  { cwd, env, limitMs = LIMIT_MS, input }: Surroundings = {},
): string =>
  execFileSync(program, args, {
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: limitMs,
    killSignal: 'SIGKILL',
    maxBuffer: 64 * 1024 * 1024,
    ...(input !== undefined && { input }),
    ...(cwd !== undefined && { cwd }),
    ...(env && { env: { ...env } }),
  });
