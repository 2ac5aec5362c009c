// soakgate pause: waits before the next step; a soak stops reading.
import type { Command } from 'commander';
import type { Does } from '../main.ts';
import { messageCommand, signAndSend, type SignerOptions } from '../message.ts';
import { withExamples } from '../options.ts';

export function register(command: Command, does: Does): void {
  messageCommand(command);
  withExamples(command, [
    ['soakgate pause shop-2026-08 staging --as dan', 'start no new step until soakgate resume'],
    [
      'soakgate pause shop-2026-08 staging --as dan --print',
      'print the signed JSON for the form in the Web UI',
    ],
  ]);
  command.action(
    does((terminal, deployment: string, environment: string, options: SignerOptions) =>
      signAndSend(terminal, { message: 'pause', deployment, environment, options }, {}),
    ),
  );
}
