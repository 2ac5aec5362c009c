// soakgate resume: goes on after a pause.
import type { Command } from 'commander';
import type { Does } from '../main.ts';
import { messageCommand, signAndSend, type SignerOptions } from '../message.ts';
import { withExamples } from '../options.ts';

export function register(command: Command, does: Does): void {
  messageCommand(command);
  withExamples(command, [
    ['soakgate resume shop-2026-08 staging --as dan', 'continue with the next step'],
    [
      'soakgate resume shop-2026-08 staging --as dan --print',
      'print the signed JSON for the form in the Web UI',
    ],
  ]);
  command.action(
    does((terminal, deployment: string, environment: string, options: SignerOptions) =>
      signAndSend(terminal, { message: 'resume', deployment, environment, options }, {}),
    ),
  );
}
