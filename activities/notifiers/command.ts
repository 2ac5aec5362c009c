// A program that reads the notice as JSON on its standard input.
import { runCommand } from '../../src/io/command.ts';
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
    if (result.exitCode !== 0)
      throw new Error(`${argv[0]} ${result.stderr || `ended with ${result.exitCode ?? result.killedBy}`}`);
  },
};
