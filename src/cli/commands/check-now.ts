// soakgate check-now: reads all monitors of an environment at once, instead of at their next turn.
import type { Command } from 'commander';
import type { Does } from '../main.ts';
import { messageCommand, signAndSend, type SignerOptions } from '../message.ts';
import { withExamples } from '../options.ts';

export function register(command: Command, does: Does): void {
  messageCommand(command);
  withExamples(command, [
    [
      'soakgate check-now shop-2026-08 staging --as dan',
      'sample all monitors now; a breach is judged immediately',
    ],
    [
      'soakgate check-now shop-2026-08 staging --as dan --print',
      'print the signed JSON for the form in the Web UI',
    ],
  ]);
  command.action(
    does((terminal, deployment: string, environment: string, options: SignerOptions) =>
      signAndSend(terminal, { message: 'checkNow', deployment, environment, options }, {}),
    ),
  );
}
