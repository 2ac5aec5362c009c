// soakgate approve: shows the sealed gate report, hashes it again, and signs that one.
import type { Command } from 'commander';
import { APPROVAL_LIFE_MS } from '../../core/signature-life.ts';
import type { Does } from '../main.ts';
import { askSignAndSend, messageCommand, type SignerOptions, withConfirmation } from '../message.ts';
import { withExamples } from '../options.ts';
import { renderGateReport } from '../render/gate-report.ts';

export function register(command: Command, does: Does): void {
  withConfirmation(messageCommand(command)).option(
    '--comment <text>',
    'comment, recorded in the evidence',
    '',
  );
  withExamples(command, [
    ['soakgate approve shop-2026-08 production --as dan', 'read the gate report and confirm'],
    [
      'soakgate approve shop-2026-08 production --as dan --comment "seen with lea"',
      'with a comment for the evidence',
    ],
    [
      'soakgate approve shop-2026-08 production --as dan --yes --print',
      'print the signed JSON for the form in the Web UI',
    ],
  ]);
  command.action(
    does(
      (
        terminal,
        deployment: string,
        environment: string,
        options: SignerOptions & { readonly comment: string },
      ) =>
        askSignAndSend(
          terminal,
          {
            message: 'approve',
            deployment,
            environment,
            options,
            question: `Approve the deployment to ${environment} based on this gate report?`,
          },
          async (door, input) => {
            const sealed = await door.gateReport(input, environment);
            const { plan, list, commit } = sealed.gateReport;
            return {
              fields: { plan, list, commit, gateReport: sealed.hash, comment: options.comment },
              expiresMs: APPROVAL_LIFE_MS,
              show: renderGateReport(sealed, terminal.paintProgress),
            };
          },
        ),
    ),
  );
}
