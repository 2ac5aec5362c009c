// soakgate abort: stops, and undoes what the environment did.
import type { Command } from 'commander';
import type { Does } from '../main.ts';
import { messageCommand, signAndSend, type SignerOptions, withConfirmation } from '../message.ts';
import { withExamples } from '../options.ts';

export function register(command: Command, does: Does): void {
  withConfirmation(messageCommand(command)).option('--reason <text>', 'kept with the abort', '');
  withExamples(command, [
    [
      'soakgate abort shop-2026-08 staging --as dan --reason "wrong release"',
      'the step under way is ended, everything is undone in order',
    ],
    ['soakgate abort shop-2026-08 staging --as dan --yes', 'without a question'],
    ['soakgate status shop-2026-08 --watch', 'see it roll back; it ends rolled-back (3)'],
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
