// soakgate key: a person's signing key. The private half stays in a file that only its owner may read.
import { access } from 'node:fs/promises';
import type { Command } from 'commander';
import { Problem } from '../../client/problem.ts';
import { createKey, publicText, writePrivateKey } from '../../io/trust.ts';
import { exitCodes } from '../exit-codes.ts';
import { keyFile, readKey } from '../keys.ts';
import type { Does } from '../main.ts';
import { type OutputOption, readName, withExamples, withOutput } from '../options.ts';
import type { Terminal } from '../terminal.ts';

type WhoseOption = OutputOption & { readonly worker?: true };

export function register(command: Command, does: Does): void {
  withExamples(command, [
    ['soakgate key create ann', 'create a key; put its public half into the environment files'],
    ['soakgate key show ann', 'print the public half again'],
    ['soakgate key create control --out /srv/soakgate/control.key', 'the key of a control worker'],
    [
      'soakgate key create staging --worker --out /srv/soakgate/staging.key',
      "the key of an environment's worker",
    ],
  ]);
  registerCreate(command, does);
  registerShow(command, does);
}

function registerCreate(command: Command, does: Does): void {
  const create = command
    .command('create')
    .summary('Create a key pair')
    .description('Create a key pair. The private half is written with mode 0600.');
  withOutput(
    create
      .argument('<name>', 'name of a person or an environment, or control', readName)
      .option('--worker', "the key of an environment's worker")
      .option('--out <file>', 'file for the private half (default: your key folder)'),
  );
  withExamples(create, [
    ['soakgate key create ann', 'prints the public half; the private half is in your key folder'],
    ['soakgate key create control --out /srv/soakgate/control.key', 'for a control worker'],
    ['soakgate key create staging --worker --out /srv/soakgate/staging.key', 'for the worker of staging'],
  ]);
  create.action(
    does(async (terminal, name: string, options: WhoseOption & { readonly out?: string }) => {
      const file = options.out ?? keyFile(name);
      if (await isThere(file))
        throw new Problem(
          'conflict',
          `${file} already exists, and a new key would make its signatures invalid`,
          `soakgate key show ${name}`,
        );
      const { privatePem, publicText: shown } = createKey();
      await writePrivateKey(file, privatePem);
      return show(terminal, name, file, shown, options);
    }),
  );
}

function registerShow(command: Command, does: Does): void {
  const shows = command
    .command('show')
    .summary('Print the public half')
    .description('Print the public half of a key.');
  withOutput(
    shows
      .argument('<name>', 'name of a person or an environment, or control', readName)
      .option('--worker', "the key of an environment's worker")
      .option('--key <file>', 'private key (default: your key folder)'),
  );
  withExamples(shows, [['soakgate key show ann', 'the line for people: in an environment file']]);
  shows.action(
    does(async (terminal, name: string, options: WhoseOption & { readonly key?: string }) =>
      show(
        terminal,
        name,
        options.key ?? keyFile(name),
        publicText(await readKey(name, options.key)),
        options,
      ),
    ),
  );
}

function show(terminal: Terminal, name: string, file: string, shown: string, options: WhoseOption): number {
  if (options.output === 'json') terminal.print(JSON.stringify({ name, file, public: shown }));
  else terminal.print(shown);
  terminal.say(`private half: ${file} (mode 0600)`);
  terminal.say(placeOf(name, file, shown, options));
  return exitCodes.completed;
}

/** Where the two halves are named. */
function placeOf(name: string, file: string, shown: string, { worker }: WhoseOption): string {
  if (worker)
    return (
      `in the environment file of ${name}:\nworker-key: ${file}\n` +
      `in the files of the environments behind it, under environments:\n  ${name}: { key: "${shown}" }`
    );
  return name === 'control'
    ? `in an environment file:\ncontrol: "${shown}"`
    : `in an environment file, under people:\n  ${name}: { key: "${shown}", roles: [] }`;
}

const isThere = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
