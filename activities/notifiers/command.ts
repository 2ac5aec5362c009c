// A program that reads the notice as JSON on its standard input.
import { type CommandResult, runCommand } from '../../src/io/command.ts';
import type { Notifier } from './notifier.ts';

const PATIENCE_MS = 30_000;

export const command: Notifier<'command'> = {
  send: async ({ argv }, notice) => {
    const { PATH = '', HOME = '' } = process.env;
    const result = await runCommand({
      argv,
      env: { PATH, HOME },
      input: JSON.stringify(notice),
      timeoutMs: PATIENCE_MS,
      silent: true,
    });
    if (result.timedOut) throw new Error(`${argv[0]} did not end within ${PATIENCE_MS / 1000} s`);
    if (result.exitCode !== 0) throw new Error(`${argv[0]} ${howItEnded(result)}`);
  },
};

/** 127, also of setpriv, which starts it: there is no such program, or it may not be run. */
const howItEnded = ({ exitCode, killedBy }: CommandResult): string =>
  (exitCode === null && killedBy === null) || exitCode === 127
    ? 'cannot be started: is it there, and may the worker run it?'
    : `ended with ${exitCode ?? killedBy}`;
