// soakgate sign: adds one person's signature to a start that --print has written.
import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { coSign, refuseSecond, type Standing, standingIn } from '../../client/co-sign.ts';
import { asUsage, Problem } from '../../client/problem.ts';
import { checkedStart } from '../../client/recompile.ts';
import { count } from '../../core/count.ts';
import type { Signed, SignedStart } from '../../core/messages.ts';
import { signersOf } from '../../core/start-signers.ts';
import { writeWhole } from '../../io/files.ts';
import { type EnvironmentSettings, readEnvironmentFile } from '../../io/settings.ts';
import { exitCodes } from '../exit-codes.ts';
import { readKey } from '../keys.ts';
import type { Does } from '../main.ts';
import { confirm, withConfirmation } from '../message.ts';
import { gather, type OutputOption, readName, withExamples, withOutput } from '../options.ts';
import { renderStart } from '../render/start.ts';
import { otherMessageIn, readSignedFile, startIn } from '../signed-file.ts';
import type { Terminal } from '../terminal.ts';

interface Options extends OutputOption {
  readonly as: string;
  readonly key?: string;
  readonly out?: string;
  readonly environmentFile?: readonly string[];
  readonly yes?: boolean;
}

export function register(command: Command, does: Does): void {
  command
    .argument('<file>', 'a start that soakgate start --print has written')
    .requiredOption('--as <person>', 'your name in the environment files', readName)
    .option('--key <file>', 'private key (default: <person>.key in your key folder)')
    .option('--out <file>', 'write it there and leave the file as it is')
    .option(
      '--environment-file <file>',
      'check the signatures against this environment, and say whose are missing (repeatable)',
      gather,
    );
  withOutput(withConfirmation(command));
  withExamples(command, [
    [
      'soakgate start soakgate.yaml --as dan --print > start.json',
      'dan signs the start and hands the file to lea',
    ],
    ['soakgate sign start.json --as lea', 'lea reads what it is, and adds her signature'],
    [
      'soakgate sign start.json --as lea --environment-file production.yaml',
      'also check the other signatures, and say whose are missing',
    ],
    ['soakgate start --signed start.json', 'start it with all its signatures'],
  ]);
  command.action(does((terminal, file: string, options: Options) => sign(terminal, file, options)));
}

async function sign(terminal: Terminal, file: string, options: Options): Promise<number> {
  if (file === '-')
    throw new Problem('usage', 'the start is read from a file, not from stdin', 'name the file');
  const text = await readSignedFile(file);
  const other = otherMessageIn(text, file);
  if (other) throw eachTheirOwn(other, options.as);
  const start = startIn(text, file);
  // What is shown is computed from the plan that is signed, not believed.
  const { input } = checkedStart(start);
  const places = await Promise.all(
    (options.environmentFile ?? []).map((path) =>
      asUsage(() => readEnvironmentFile(path), 'correct the environment file'),
    ),
  );
  for (const place of places) standingIn(start, place);
  refuseUnknown(options.as, places);
  const key = await readKey(options.as, options.key);
  refuseSecond(start, options.as, key);
  for (const line of renderStart(input, places.length > 0, terminal.paintProgress)) terminal.say(line);
  const question = `Sign the start of ${start.body.deployment} as ${options.as}?`;
  if (!options.yes) await confirm(terminal, question);
  const signed = coSign(start, options.as, key);
  const standings = places.map((place) => standingIn(signed, place));
  // Somebody else may have signed it while this person was reading.
  if ((await readSignedFile(file)) !== text)
    throw new Problem(
      'conflict',
      `${file} has changed meanwhile; nothing was written`,
      'run the command again',
    );
  const out = options.out ?? file;
  await writeWhole(out, `${JSON.stringify(signed, null, 1)}\n`, (await stat(file)).mode & 0o777);
  tell(terminal, out, signed, standings, options);
  return exitCodes.completed;
}

function tell(
  terminal: Terminal,
  file: string,
  signed: SignedStart,
  standings: readonly Standing[],
  { output }: Options,
): void {
  const signatures = signersOf(signed);
  const { deployment } = signed.body;
  if (output === 'json')
    terminal.print(JSON.stringify({ deployment, file, signatures, environments: standings }));
  else if (standings.length === 0) terminal.print(count(signatures.length, 'signature'));
  else
    for (const { environment, text } of standings)
      terminal.print(standings.length === 1 ? text : `${environment}: ${text}`);
  const next = standings.some(({ met }) => !met)
    ? `the next one signs: soakgate sign ${file} --as PERSON`
    : `when all have signed: soakgate start --signed ${file}`;
  terminal.say(`signed, not started; ${next}`);
}

/** Known to no environment that was named, so counted by none. */
function refuseUnknown(person: string, places: readonly EnvironmentSettings[]): void {
  if (places.length === 0 || places.some(({ people }) => people.some(({ name }) => name === person))) return;
  throw new Problem(
    'not-allowed',
    `${places.map(({ environment }) => environment).join(', ')}: nobody there has the name ${person}`,
    'sign under the name that the environment file has under people',
  );
}

/** Each message but the start is signed and sent by each person; the environment's worker counts them together. */
function eachTheirOwn({ message, body }: Signed, person: string): Problem {
  const command = message.replace(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`);
  const words = [body?.deployment, body?.environment, body?.['decision'] ?? body?.['attestation']];
  return new Problem(
    'usage',
    `this is signed for ${message}, and only a start carries several signatures: of every other message each person ` +
      'sends one, and the environment counts them together',
    ['soakgate', command, ...words.filter((word) => typeof word === 'string'), '--as', person].join(' '),
  );
}
