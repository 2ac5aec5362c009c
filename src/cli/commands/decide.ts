// soakgate decide: answers the question that waits in an environment.
import type { Command } from 'commander';
import { runOf } from '../../client/gate-report.ts';
import { restoringFallbacks } from '../../core/matrix.ts';
import type { Does } from '../main.ts';
import { askSignAndSend, messageCommand, signAndSend, type SignerOptions } from '../message.ts';
import { withExamples } from '../options.ts';

export function register(command: Command, does: Does): void {
  messageCommand(command).argument(
    '<word>',
    'one of the words that soakgate status shows, e.g. continue, stop, retry or a fallback',
  );
  withExamples(command, [
    ['soakgate decide shop-2026-08 staging continue --as lea', 'continue'],
    ['soakgate decide shop-2026-08 staging downgrade --as lea', 'roll back by this fallback'],
    [
      'soakgate decide shop-2026-08 staging retry --as dan',
      'retry the rollback, after you have fixed the differences manually',
    ],
  ]);
  command.action(
    does((terminal, deployment: string, environment: string, word: string, options: SignerOptions) => {
      const call = { message: 'decide', deployment, environment, options } as const;
      const fields = { decision: word };
      if (options.print) return signAndSend(terminal, call, fields);
      return askSignAndSend(terminal, call, async (door, input) => {
        if (!restoringFallbacks(runOf(input, environment).list).includes(word)) return { fields };
        // The question may be hours old, and the application goes on writing.
        const loses = `${word} would lose ${await door.losses(input, environment)}`;
        return { fields: { ...fields, loses }, show: [loses] };
      });
    }),
  );
}
