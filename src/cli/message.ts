// What all signed messages have in common: who signs, until when it holds, print or send, and what the answer
// means.
import { MESSAGE_LIFE_MS } from '../core/signature-life.ts';
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import type { DeploymentClient } from '../client/door.ts';
import { connectionNames } from '../client/connection-names.ts';
import { Problem } from '../client/problem.ts';
import type { Bound, MessageName, Signed } from '../core/messages.ts';
import type { Json } from '../core/plan/plan.ts';
import { signMessage } from '../io/trust.ts';
import type { DeploymentInput } from '../../workflows/contract.ts';
import { withDeploymentClient } from './door.ts';
import { exitCodes } from './exit-codes.ts';
import { readKey } from './keys.ts';
import {
  type OutputOption,
  readDuration,
  readName,
  type ServerOption,
  withOutput,
  withServer,
} from './options.ts';
import type { Terminal } from './terminal.ts';

export interface SignerOptions extends OutputOption, ServerOption {
  readonly as: string;
  readonly key?: string;
  readonly print?: boolean;
  readonly yes?: boolean;
  readonly expires?: number;
}

/** `DEPLOYMENT ENVIRONMENT … --as PERSON [--key FILE] [--expires D] [--print]` */
export function messageCommand(command: Command): Command {
  command
    .argument('<deployment>', 'as soakgate list shows it', readName)
    .argument('<environment>', 'e.g. staging');
  return signerOptions(command).option(
    '--print',
    'print the signed JSON for the form in the Web UI, send nothing',
  );
}

export function signerOptions(command: Command): Command {
  return withServer(
    withOutput(
      command
        .requiredOption('--as <person>', 'your name in the environment file', readName)
        .option('--key <file>', 'private key (default: <person>.key in your key folder)')
        .option('--expires <duration>', 'how long the signature is valid', readDuration),
    ),
  );
}

/** For messages that undo or bind: a question at the terminal, which --yes answers. */
export const withConfirmation = (command: Command): Command => command.option('--yes', 'sign without asking');

/**
 * What is signed besides the deployment, the environment, nonce and expiry; made from what the deployment was
 * started with.
 */
export interface Content {
  readonly fields: Readonly<Record<string, Json>>;
  readonly expiresMs?: number;
  /** Shown before it is signed. */
  readonly show?: readonly string[];
}

export interface Call {
  readonly message: MessageName;
  readonly deployment: string;
  readonly environment: string;
  readonly options: SignerOptions;
  /** A question to be answered before it is signed. */
  readonly question?: string;
}

/** Signs fields that are known here, so that `--print` needs no server. */
export async function signAndSend(
  terminal: Terminal,
  call: Call,
  fields: Readonly<Record<string, Json>>,
): Promise<number> {
  const signed = await sign(terminal, call, { fields });
  return call.options.print
    ? print(terminal, signed)
    : withDeploymentClient(call.options, (door) => send(terminal, door, call, signed));
}

/** Signs what must first be asked of the deployment. */
export function askSignAndSend(
  terminal: Terminal,
  call: Call,
  ask: (door: DeploymentClient, input: DeploymentInput) => Promise<Content> | Content,
): Promise<number> {
  return withDeploymentClient(call.options, async (door) => {
    const signed = await sign(terminal, call, await ask(door, await door.input(call.deployment)));
    return call.options.print ? print(terminal, signed) : send(terminal, door, call, signed);
  });
}

async function sign(terminal: Terminal, call: Call, { fields, expiresMs, show }: Content): Promise<Signed> {
  const { options, deployment, environment } = call;
  const key = await readKey(options.as, options.key);
  for (const line of show ?? []) terminal.say(line);
  if (call.question && !options.yes) await confirm(terminal, call.question);
  const body: Bound & Readonly<Record<string, Json>> = {
    deployment,
    environment,
    namespace: connectionNames().namespace,
    nonce: randomUUID(),
    signedAt: new Date().toISOString(),
    expires: new Date(Date.now() + (options.expires ?? expiresMs ?? MESSAGE_LIFE_MS)).toISOString(),
    ...fields,
  };
  return signMessage(key, call.message, options.as, body);
}

/** Nobody there to answer is no assent (rule 1). */
export async function confirm(terminal: Terminal, question: string): Promise<void> {
  const answer = await terminal.confirm(question);
  if (answer === null)
    throw new Problem(
      'usage',
      `${question} There is no terminal to confirm on`,
      'read what you sign, then add --yes',
    );
  if (!answer) throw new Problem('not-allowed', 'not signed; nothing was sent');
}

function print(terminal: Terminal, signed: Signed): number {
  terminal.print(JSON.stringify(signed, null, 1));
  terminal.say(
    `signed, not sent. Paste it as the only argument of the update or signal ${signed.message}; it ` +
      `holds until ${signed.body.expires}`,
  );
  return exitCodes.completed;
}

async function send(
  terminal: Terminal,
  door: DeploymentClient,
  { deployment, options }: Call,
  signed: Signed,
): Promise<number> {
  terminal.leaving =
    `stopped waiting; the signed ${signed.message} may have arrived: soakgate status ${deployment} ` +
    'shows it';
  const sent = await door.send(signed);
  if (options.output === 'json') terminal.print(JSON.stringify({ ...sent, nonce: signed.body.nonce }));
  if (sent.outcome === 'refused')
    throw new Problem(
      'not-allowed',
      sent.text,
      `soakgate status ${deployment} shows what the deployment waits for`,
    );
  if (sent.outcome === 'unknown') throw new Problem('pending', sent.text);
  if (options.output === 'text') terminal.print(sent.text);
  return exitCodes.completed;
}
