// soakgate abort: stops, and undoes what the environment did.
import type { Command } from 'commander';
import type { Does } from '../main.ts';
import { messageCommand, signAndSend, type SignerOptions, withConfirmation } from '../message.ts';
import { withExamples } from '../options.ts';

export function register(command: Command, does: Does): void {
  withConfirmation(messageCommand(command)).option('--reason <text>', 'reason, recorded in the evidence', '');
  withExamples(command, [
    [
      'soakgate abort shop-2026-08 staging --as dan --reason "wrong release"',
      'end the running step and undo every change in order',
    ],
    ['soakgate abort shop-2026-08 staging --as dan --yes', 'without confirmation'],
    ['soakgate status shop-2026-08 --watch', 'watch the rollback; it ends rolled-back (exit code 3)'],
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
            message: 'abort',
            deployment,
            environment,
            options,
            question: `Undo everything that ${deployment} did in ${environment}?`,
          },
          options.reason ? { reason: options.reason } : {},
        ),
    ),
  );
}
