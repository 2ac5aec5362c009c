// soakgate evidence: where the sealed folder lies and what is in it.
import { count } from '../../core/count.ts';
import { join } from 'node:path';
import type { Command } from 'commander';
import { Problem } from '../../client/problem.ts';
import type { DeploymentStatus } from '../../client/status.ts';
import type { DeploymentResult } from '../../../workflows/contract.ts';
import { withDeploymentClient } from '../door.ts';
import { exitCodes, goesOn } from '../exit-codes.ts';
import { readRegular } from '../../io/regular-file.ts';
import type { Does } from '../main.ts';
import {
  type OutputOption,
  readName,
  type ServerOption,
  withExamples,
  withOutput,
  withServer,
} from '../options.ts';
import { type Terminal, visible } from '../terminal.ts';
import { registerVerify } from './evidence-verify.ts';

export function register(command: Command, does: Does): void {
  withServer(withOutput(command.argument('<deployment>', 'as soakgate list shows it', readName)));
  withExamples(command, [
    ['soakgate evidence shop-2026-08', 'show its location, hash and files'],
    [
      'soakgate evidence verify ./evidence/shop-2026-08 --trust production.yaml',
      'check that a folder is complete and unchanged, and who vouches for what',
    ],
  ]);
  command.action(
    does((terminal, deployment: string, options: OutputOption & ServerOption) =>
      showEvidence(terminal, deployment, options),
    ),
  );
  registerVerify(command, does);
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
        ...(files ?? []).map(visible),
      ].join('\n'),
    );
    if (files) terminal.say(`next: soakgate evidence verify ${result.evidence.uri} --trust production.yaml`);
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
  const text = await readRegular(join(evidence.uri, 'manifest.json'), { most: LARGEST }).catch(
    () => undefined,
  );
  return text === undefined ? null : Object.keys((JSON.parse(text) as { files: object }).files);
}

const LARGEST = 64_000_000;
