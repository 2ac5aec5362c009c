// soakgate rollback: goes back by a route of the plan, or undoes everything.
import type { Command } from 'commander';
import { runOf } from '../../client/dossier.ts';
import { Problem } from '../../client/problem.ts';
import type { Does } from '../main.ts';
import { askSignAndSend, messageCommand, signAndSend, type SignerOptions, withConfirmation } from '../message.ts';
import { withExamples } from '../options.ts';

interface Options extends SignerOptions {
  readonly route?: string;
  readonly reason: string;
}

export function register(command: Command, does: Does): void {
  withConfirmation(messageCommand(command))
    .option('--route <name>', "a route of the plan (default: undo everything, in the release kind's order)")
    .option('--reason <text>', 'kept with the rollback', '');
  withExamples(command, [
    ['soakgate rollback shop-2026-08 production --as lea', 'undo everything in production, in order'],
    ['soakgate rollback shop-2026-08 production --route old-code --as lea', 'go back by a route of the plan (soakgate plan shows what each does)'],
  ]);
  command.action(
    does((terminal, deployment: string, environment: string, options: Options) => {
      const { route, reason } = options;
      const question = `Take ${deployment} back in ${environment}${route === undefined ? '' : ` by ${route}`}?`;
      const call = { message: 'rollback', deployment, environment, options, question } as const;
      const fields = { ...(reason && { reason }), ...(route !== undefined && { route }) };
      if (route === undefined) return signAndSend(terminal, call, fields);
      // A misspelt route would be taken for none, which undoes everything.
      return askSignAndSend(terminal, call, (_, input) => {
        const { routes } = runOf(input, environment).list;
        if (!Object.hasOwn(routes, route))
          throw new Problem('usage', `the plan has no route ${route}`, `it has: ${Object.keys(routes).join(', ') || 'none'}`);
        return { fields };
      });
    }),
  );
}
