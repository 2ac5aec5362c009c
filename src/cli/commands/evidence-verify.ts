// soakgate evidence verify: whether a package is complete and unchanged, and who vouches for what in it.
import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { asUsage, Problem } from '../../client/problem.ts';
import { withDeploymentClient } from '../door.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Does } from '../main.ts';
import {
  gather,
  type OutputOption,
  readName,
  type ServerOption,
  withExamples,
  withOutput,
  withServer,
} from '../options.ts';
import { verdictLines } from '../render/evidence.ts';
import { type Terminal, visible } from '../terminal.ts';

interface VerifyOptions extends OutputOption, ServerOption {
  readonly control?: string;
  readonly trust?: readonly string[];
}

export function registerVerify(command: Command, does: Does): void {
  const verify = command
    .command('verify')
    .summary('Check an evidence package, and who vouches for what in it')
    .description(
      'Check that an evidence package is complete and unchanged. With --trust, also check every signature in it: ' +
        'who vouches for which line, and what nobody vouches for.',
    );
  withServer(
    withOutput(
      verify
        .argument('<package>', 'evidence folder with its manifest.json, or the name of a deployment')
        .option(
          '--trust <file>',
          'environment file or trust file with the keys that you trust; may be given more than once',
          gather,
        )
        .option('--control <key>', "the control worker's public key, ed25519:…"),
    ),
  );
  withExamples(verify, [
    [
      'soakgate evidence verify ./evidence/shop-2026-08',
      'check the hashes only; signatures are reported as not verified',
    ],
    [
      'soakgate evidence verify ./evidence/shop-2026-08 --trust staging.yaml --trust production.yaml',
      'check every signature; exit code 1 if something changed, or nobody vouches for something',
    ],
    [
      'soakgate evidence verify shop-2026-08 --trust keys.yaml',
      'the package of a deployment that Temporal knows, with a file of keys alone',
    ],
  ]);
  verify.action(
    does((terminal, wanted: string, options: VerifyOptions) => verifyPackage(terminal, wanted, options)),
  );
}

async function verifyPackage(terminal: Terminal, wanted: string, options: VerifyOptions): Promise<number> {
  const { control, trust = [] } = options;
  const { verifyEvidence } = await import('../../io/evidence.ts');
  const { readTrust } = await import('../../io/trust-file.ts');
  const keys =
    trust.length === 0
      ? undefined
      : await asUsage(
          () => readTrust(trust, control),
          'pass an environment file or a trust file (docs/evidence.md has both)',
        );
  const folder = await folderOf(terminal, wanted, options);
  const verdict = await verifyEvidence(folder, keys ? (keys.control ?? undefined) : control, keys);
  if (options.output === 'json') terminal.print(JSON.stringify({ folder, ...verdict }));
  else terminal.print(verdictLines(folder, verdict, terminal.paint).join('\n'));
  const { unproven, state } = verdict;
  for (const line of unproven) terminal.say(`not proven: ${visible(line)}`);
  if (verdict.vouching?.lines.some(({ fault }) => fault?.startsWith('unknown key')))
    terminal.say(
      'next: add the keys that you trust to a trust file, and pass it with --trust, too (docs/evidence.md)',
    );
  if (!keys) terminal.say('not proven: the signatures of people and workers: pass --trust FILE');
  return state === 'valid' ? exitCodes.completed : exitCodes.failed;
}

/** What is there is the package; else it is the name of a deployment. */
async function folderOf(terminal: Terminal, wanted: string, options: ServerOption): Promise<string> {
  const there = await stat(wanted).then(
    () => true,
    ({ code }: NodeJS.ErrnoException) => code !== 'ENOENT',
  );
  if (there || !isName(wanted)) return wanted;
  terminal.say(`there is no folder ${wanted}; looking for the deployment ${wanted}`);
  const { result } = await withDeploymentClient(options, async (door) => (await door.status(wanted)).read());
  if (!result)
    throw new Problem(
      'pending',
      `there is no folder ${wanted}, and the deployment ${wanted} has no sealed evidence`,
      `soakgate evidence ${wanted}`,
    );
  return result.evidence.uri;
}

function isName(text: string): boolean {
  try {
    return readName(text) === text;
  } catch {
    return false;
  }
}
