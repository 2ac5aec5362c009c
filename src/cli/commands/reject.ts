// soakgate reject: closes the gate for good; earlier environments stay as they are.
import type { Command } from 'commander';
import type { Does } from '../main.ts';
import { messageCommand, signAndSend, type SignerOptions, withConfirmation } from '../message.ts';
import { withExamples } from '../options.ts';

export function register(command: Command, does: Does): void {
  withConfirmation(messageCommand(command)).option('--reason <text>', 'reason, recorded in the evidence', '');
  withExamples(command, [
    [
      'soakgate reject shop-2026-08 production --as lea --reason "latency rose on Tuesday"',
      'do not deploy to production; the deployment ends rejected',
    ],
    [
      'soakgate reject shop-2026-08 production --as lea --yes --print',
      'print the signed JSON for the form in the Web UI',
    ],
  ]);
  command.action(
    does(
      (
        terminal,
        deployment: string,
        environment: string,
        options: SignerOptions & { readonly reason: string },
      ) =>
        signAndSend(
          terminal,
          {
            message: 'reject',
            deployment,
            environment,
            options,
            question: `Refuse ${environment}, and end ${deployment}?`,
          },
          { reason: options.reason },
        ),
    ),
  );
}
