// soakgate attest: signs the very text that the plan asks for.
import type { Command } from 'commander';
import { runOf } from '../../client/gate-report.ts';
import { Problem } from '../../client/problem.ts';
import type { DeploymentInput } from '../../../workflows/contract.ts';
import { APPROVAL_LIFE_MS } from '../../core/signature-life.ts';
import type { Does } from '../main.ts';
import { askSignAndSend, messageCommand, type SignerOptions, withConfirmation } from '../message.ts';
import { withExamples } from '../options.ts';
import { visible } from '../terminal.ts';

export function register(command: Command, does: Does): void {
  withConfirmation(
    messageCommand(command).argument('<id>', "id of the statement, from the plan's gate"),
  ).option('--comment <text>', 'comment, recorded in the evidence', '');
  withExamples(command, [
    ['soakgate attest shop-2026-08 production tried --as lea', 'read the statement and confirm'],
    [
      'soakgate attest shop-2026-08 production lessons --as lea --comment "seed the test users first"',
      'with a comment for the evidence',
    ],
    [
      'soakgate attest shop-2026-08 production tried --as lea --yes --print',
      'print the signed JSON for the form in the Web UI',
    ],
  ]);
  command.action(
    does(
      (
        terminal,
        deployment: string,
        environment: string,
        id: string,
        options: SignerOptions & { readonly comment: string },
      ) =>
        askSignAndSend(
          terminal,
          {
            message: 'attest',
            deployment,
            environment,
            options,
            question: 'Confirm and sign this statement?',
          },
          (_, input) => {
            const { text, role } = statementOf(input, environment, id);
            return {
              fields: {
                plan: input.start.body.plan,
                attestation: id,
                text,
                ...(options.comment !== '' && { comment: options.comment }),
              },
              expiresMs: APPROVAL_LIFE_MS,
              show: [`${environment}, ${id} (by ${visible(role)}): "${visible(text)}"`],
            };
          },
        ),
    ),
  );
}

function statementOf(input: DeploymentInput, environment: string, id: string) {
  const gate = runOf(input, environment).list.gate;
  const found = gate?.attested.find((statement) => statement.id === id);
  if (found) return found;
  const ids = (gate?.attested ?? []).map((statement) => statement.id);
  throw new Problem(
    'usage',
    `the gate of ${environment} asks for no statement ${id}`,
    ids.length > 0 ? `it asks for: ${ids.join(', ')}` : null,
  );
}
