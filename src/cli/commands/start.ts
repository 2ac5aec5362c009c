// soakgate start: pins, compiles and signs, then starts; or prints what is signed, or starts what was
// printed.
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import type { DeploymentClient } from '../../client/door.ts';
import { asUsage, Problem } from '../../client/problem.ts';
import type { SignedStart } from '../../core/messages.ts';
import type { Pace } from '../../core/pace.ts';
import { withDeploymentClient } from '../door.ts';
import { exitCodes } from '../exit-codes.ts';
import { readKey } from '../keys.ts';
import { START_LIFE_MS } from '../../core/signature-life.ts';
import type { Does } from '../main.ts';
import {
  type OutputOption,
  gather,
  paceOption,
  readDuration,
  readName,
  type ServerOption,
  withExamples,
  withOutput,
  withServer,
} from '../options.ts';
import { readPlanFile } from '../plan-file.ts';
import { readSignedFile, startIn } from '../signed-file.ts';
import type { Terminal } from '../terminal.ts';
import { watch } from '../watch.ts';

interface Options extends OutputOption, ServerOption {
  readonly as?: string;
  readonly key?: string;
  readonly repository: string;
  readonly pace?: Pace;
  readonly name?: string;
  readonly expires?: number;
  readonly print?: boolean;
  readonly signed?: string;
  readonly watch?: boolean;
  readonly environmentFile?: readonly string[];
}

export function register(command: Command, does: Does): void {
  command
    .argument('[plan]', 'plan file')
    .option('--as <person>', 'your name in the environment files', readName)
    .option('--key <file>', 'private key (default: <person>.key in your key folder)')
    .option('--repository <dir>', 'git repository that resolves release.ref', '.')
    .option('--name <name>', 'name of the deployment; a name starts only once', readName)
    .option('--expires <duration>', 'how long the signature is valid (default: 1d)', readDuration)
    .option('--print', 'print the signed JSON, start nothing')
    .option('--signed <file>', 'start from a file that --print wrote (- reads stdin)')
    .option(
      '--environment-file <file>',
      'start nothing that this environment would refuse for its signatures (repeatable)',
      gather,
    )
    .option('--watch', 'watch it until it ends and exit with its code');
  withServer(withOutput(paceOption(command)));
  withExamples(command, [
    ['soakgate start soakgate.yaml --as ann', 'start it and print the name of the deployment'],
    [
      'soakgate start soakgate.yaml --as ann --name shop-2026-08 --watch',
      'once under this name, and watch it until it ends',
    ],
    [
      'soakgate start soakgate.yaml --as ann --pace 7d=60s',
      'compress seven days to one minute, if the environment allows it',
    ],
    ['soakgate start soakgate.yaml --as ann --print > start.json', 'sign here …'],
    ['soakgate sign start.json --as lea', '… let others sign where the guardrails ask for several …'],
    [
      'soakgate start --signed start.json --server http://127.0.0.1:8230',
      '… and start there, here through a soakgate server',
    ],
  ]);
  command.action(
    does((terminal, file: string | undefined, options: Options) => start(terminal, file, options)),
  );
}

async function start(terminal: Terminal, file: string | undefined, options: Options): Promise<number> {
  const signed =
    options.signed === undefined
      ? await signHere(terminal, file, options)
      : await readSigned(options.signed, file);
  if (!options.print) {
    await refuseTooFew(signed, options);
    return withDeploymentClient(options, (door) => begin(terminal, door, signed, options));
  }
  terminal.print(JSON.stringify(signed, null, 1));
  terminal.say(
    'signed, not started. Start it with: soakgate start --signed FILE; where several must sign, each adds a ' +
      `signature before: soakgate sign FILE --as PERSON. Valid until ${signed.body.expires}`,
  );
  return exitCodes.completed;
}

async function signHere(
  terminal: Terminal,
  file: string | undefined,
  options: Options,
): Promise<SignedStart> {
  if (file === undefined)
    throw new Problem('usage', 'the plan file is missing', 'soakgate start soakgate.yaml --as YOU');
  if (options.as === undefined)
    throw new Problem(
      'usage',
      '--as PERSON is missing: somebody must sign the start',
      `soakgate start ${file} --as YOU`,
    );
  const [{ plan, text, name }, key] = [await readPlanFile(file), await readKey(options.as, options.key)];
  const { signStart } = await import('../../client/start.ts');
  const request = {
    planText: text,
    planFile: name,
    plan,
    repository: options.repository,
    person: options.as,
    key,
  };
  const signed = await asUsage(
    () =>
      signStart({
        ...request,
        pace: options.pace ?? null,
        ...(options.name !== undefined && { name: options.name }),
        nonce: randomUUID(),
        expiresMs: options.expires ?? START_LIFE_MS,
      }),
    'name the repository of the release with --repository',
  );
  terminal.say(`${plan.release.ref} is commit ${signed.body.commit}`);
  return signed;
}

/** What a worker would find out later, perhaps after days. @throws Problem */
async function refuseTooFew(
  signed: SignedStart,
  { environmentFile = [], signed: file }: Options,
): Promise<void> {
  if (environmentFile.length === 0) return;
  const { standingIn } = await import('../../client/co-sign.ts');
  const { readEnvironmentFile } = await import('../../io/settings.ts');
  for (const path of environmentFile) {
    const place = await asUsage(() => readEnvironmentFile(path), 'correct the environment file');
    const { met, text, environment } = standingIn(signed, place);
    if (!met)
      throw new Problem(
        'not-allowed',
        `nothing was started: ${environment}: ${text}`,
        file === undefined
          ? 'add --print, let the others add theirs with soakgate sign, then soakgate start --signed FILE'
          : `soakgate sign ${file} --as PERSON`,
      );
  }
}

async function readSigned(file: string, plan: string | undefined): Promise<SignedStart> {
  if (plan !== undefined)
    throw new Problem(
      'usage',
      'a plan and --signed are both given',
      'leave the plan out: it is in the signed start',
    );
  return startIn(await readSignedFile(file), file);
}

async function begin(
  terminal: Terminal,
  door: DeploymentClient,
  signed: SignedStart,
  options: Options,
): Promise<number> {
  terminal.leaving = `stopped waiting; the start may have arrived: soakgate status ${signed.body.deployment} shows it`;
  const started = await door.start(signed);
  const { deployment, fresh, running, link } = started;
  if (options.output === 'json') terminal.print(JSON.stringify(started));
  else terminal.print(deployment);
  terminal.say(
    fresh ? 'started' : running ? 'already running under this name' : 'has already run under this name',
  );
  if (link) terminal.say(`workflow: ${link}`);
  if (!options.watch) {
    terminal.say(`next: soakgate status ${deployment} --watch`);
    return exitCodes.completed;
  }
  const { read } = await door.status(deployment);
  return (await watch(terminal, read)).code;
}
