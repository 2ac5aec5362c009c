// soakgate evidence: where the sealed folder lies and what is in it; and check that a folder is complete and
// unchanged.
import { count } from '../../core/count.ts';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { Problem } from '../../client/problem.ts';
import type { DeploymentStatus } from '../../client/status.ts';
import type { DeploymentResult } from '../../../workflows/contract.ts';
import { withDeploymentClient } from '../door.ts';
import { exitCodes, goesOn } from '../exit-codes.ts';
import type { Does } from '../main.ts';
import {
  type OutputOption,
  readName,
  type ServerOption,
  withExamples,
  withOutput,
  withServer,
} from '../options.ts';
import type { Terminal } from '../terminal.ts';

export function register(command: Command, does: Does): void {
  withServer(withOutput(command.argument('<deployment>', 'as soakgate list shows it', readName)));
  withExamples(command, [
    ['soakgate evidence shop-2026-08', 'show its location, hash and files'],
    [
      'soakgate evidence verify ./evidence/shop-2026-08 --control ed25519:…',
      'check that a folder is complete and unchanged',
    ],
  ]);
  command.action(
    does((terminal, deployment: string, options: OutputOption & ServerOption) =>
      showEvidence(terminal, deployment, options),
    ),
  );
  registerVerify(command, does);
}

function registerVerify(command: Command, does: Does): void {
  const verify = command
    .command('verify')
    .summary('Check that an evidence folder is complete and unchanged')
    .description('Check that an evidence folder is complete and unchanged.');
  withOutput(
    verify
      .argument('<folder>', 'evidence folder, with its manifest.json')
      .option('--control <key>', "the control worker's public key, ed25519:…"),
  );
  withExamples(verify, [
    [
      'soakgate evidence verify ./evidence/shop-2026-08',
      'check the hashes only; the signature is reported as not verified',
    ],
    [
      'soakgate evidence verify ./evidence/shop-2026-08 --control ed25519:…',
      'check the signature too; exit code 1 if something changed or is missing',
    ],
  ]);
  verify.action(
    does(async (terminal, folder: string, options: OutputOption & { readonly control?: string }) => {
      const { verifyEvidence } = await import('../../io/evidence.ts');
      const { state, problems, manifest, unproven } = await verifyEvidence(folder, options.control);
      if (options.output === 'json')
        terminal.print(JSON.stringify({ folder, state, problems, manifest, unproven }));
      else
        terminal.print(
          [
            `${folder}: ${state}${manifest ? `, manifest ${manifest}` : ''}`,
            ...problems.map((problem) => `  ${problem}`),
          ].join('\n'),
        );
      for (const line of unproven) terminal.say(`not proven: ${line}`);
      return state === 'valid' ? exitCodes.completed : exitCodes.failed;
    }),
  );
}

async function showEvidence(
  terminal: Terminal,
  deployment: string,
  options: OutputOption & ServerOption,
): Promise<number> {
  const status = await withDeploymentClient(options, async (door) => (await door.status(deployment)).read());
  const { result } = status;
  if (!result) throw notSealed(status);
  const files = await filesOf(result);
  if (options.output === 'json')
    terminal.print(
      JSON.stringify({ deployment, outcome: result.outcome, ...result.evidence, names: files }, null, 1),
    );
  else {
    terminal.print(
      [
        result.evidence.uri,
        `manifest ${result.evidence.manifest}, ${count(result.evidence.files, 'file')}, ${result.outcome}`,
        ...(files ?? []),
      ].join('\n'),
    );
    if (files) terminal.say(`next: soakgate evidence verify ${result.evidence.uri} --control ed25519:…`);
    else terminal.say('the evidence directory is not accessible from this host');
  }
  return exitCodes.completed;
}

function notSealed(status: DeploymentStatus): Problem {
  const { deployment } = status;
  const place = `evidence/${deployment} of the artifact store`;
  if (goesOn(status))
    return new Problem(
      'pending',
      `the evidence of ${deployment} is not sealed yet; the records so far are under ${place}`,
      `soakgate status ${deployment}`,
    );
  return new Problem(
    'conflict',
    `${deployment} was terminated in Temporal, so there is no result; the evidence that its rollouts ` +
      `sealed is under ${place}`,
    'soakgate evidence verify FOLDER',
  );
}

/** The names in the manifest, where the folder can be read from here. */
async function filesOf({ evidence }: DeploymentResult): Promise<readonly string[] | null> {
  const text = await readFile(join(evidence.uri, 'manifest.json'), 'utf8').catch(() => null);
  return text === null ? null : Object.keys((JSON.parse(text) as { files: object }).files);
}
