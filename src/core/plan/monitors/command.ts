// A command of the release that prints JSON; `since` is the option that takes the time of the last sample.
import { argv, form } from '../forms.ts';
import { without } from '../to-plan-values.ts';
import type { Argv } from '../values.ts';
import { defineSource } from './source.ts';

export interface CommandRead {
  readonly command: Argv;
  readonly since?: string;
}

export const command = defineSource({
  key: 'command',
  form: argv.describe('Prints JSON'),
  beside: {
    since: form(/^--?[A-Za-z][\w-]*$/u, 'option of a command', '--since').describe(
      'Option of the command that takes the time of the last sample',
    ),
  },
  toRead: (file, { since }) => without<CommandRead>({ command: file, since }),
  needsPlaces: true,
  countsSince: ({ since }) => since !== undefined,
  files: () => [],
  programs: (read) => [read.command],
});
