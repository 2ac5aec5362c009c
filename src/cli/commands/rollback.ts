// soakgate rollback: rolls back by a fallback of the plan, or undoes everything.
import type { Command } from 'commander';
import { runOf } from '../../client/gate-report.ts';
import { restoringFallbacks } from '../../core/matrix.ts';
import { Problem } from '../../client/problem.ts';
import type { Does } from '../main.ts';
import {
  askSignAndSend,
  messageCommand,
  signAndSend,
  type SignerOptions,
  withConfirmation,
} from '../message.ts';
import { withExamples } from '../options.ts';

interface Options extends SignerOptions {
  readonly fallback?: string;
  readonly reason: string;
}

export function register(command: Command, does: Does): void {
  withConfirmation(messageCommand(command))
    .option(
      '--fallback <name>',
      "a fallback of the plan (default: undo everything, in the release kind's order)",
    )
    .option('--reason <text>', 'reason, recorded in the evidence', '');
  withExamples(command, [
    ['soakgate rollback shop-2026-08 production --as lea', 'undo everything in production, in order'],
    [
      'soakgate rollback shop-2026-08 production --fallback old-code --as lea',
      'roll back by a fallback of the plan (soakgate plan shows what each does)',
    ],
  ]);
  command.action(
    does((terminal, deployment: string, environment: string, options: Options) => {
      const { fallback, reason } = options;
      const question = `Roll back ${deployment} in ${environment}${fallback === undefined ? '' : ` by ${fallback}`}?`;
      const call = { message: 'rollback', deployment, environment, options, question } as const;
      const fields = { ...(reason && { reason }), ...(fallback !== undefined && { fallback }) };
      if (fallback === undefined) return signAndSend(terminal, call, fields);
      // A misspelt fallback would be taken for none, which undoes everything.
      return askSignAndSend(terminal, call, async (door, input) => {
        const { list } = runOf(input, environment);
        const { fallbacks } = list;
        if (!Object.hasOwn(fallbacks, fallback))
          throw new Problem(
            'usage',
            `the plan has no fallback ${fallback}`,
            `it has: ${Object.keys(fallbacks).join(', ') || 'none'}`,
          );
        if (!restoringFallbacks(list).includes(fallback)) return { fields };
        const loses = `${fallback} would lose ${await door.losses(input, environment)}`;
        return { fields: { ...fields, loses }, show: [loses] };
      });
    }),
  );
}
