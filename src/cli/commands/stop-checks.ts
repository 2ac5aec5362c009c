// soakgate stop-checks: ends the looks that go on after a deployment.
import type { Command } from 'commander';
import type { Does } from '../main.ts';
import { messageCommand, signAndSend, type SignerOptions } from '../message.ts';
import { withExamples } from '../options.ts';

export function register(command: Command, does: Does): void {
  messageCommand(command);
  withExamples(command, [
    ['soakgate stop-checks shop-2026-08 production --as dan', 'stop the post-deployment checks'],
    [
      'soakgate stop-checks shop-2026-08 production --as dan --print',
      'print the signed JSON for the form in the Web UI',
    ],
  ]);
  command.action(
    does((terminal, deployment: string, environment: string, options: SignerOptions) =>
      signAndSend(terminal, { message: 'stopChecks', deployment, environment, options }, {}),
    ),
  );
}
