// soakgate release: frees an environment that a run holds which has opened nothing there.
import type { Command } from 'commander';
import { Problem } from '../../client/problem.ts';
import { withConnection } from '../connected.ts';
import { needsTemporal } from '../door.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Does } from '../main.ts';
import { type OutputOption, type ServerOption, withExamples, withOutput, withoutServer } from '../options.ts';
import { visible } from '../terminal.ts';

interface Options extends OutputOption, ServerOption {
  readonly force?: boolean;
  readonly yes?: boolean;
}

export function register(command: Command, does: Does): void {
  command
    .argument('<service>', 'as the plan names it')
    .argument('<environment>', 'e.g. production')
    .option('--force', 'also where a worker has said that its permit is good; nothing is undone')
    .option('--yes', 'do not ask');
  withoutServer(withOutput(command));
  withExamples(command, [
    ['soakgate release shop production', 'end a run that holds production and belongs to no deployment'],
    ['soakgate recover shop-2026-08 --as dan', 'where its deployment has ended: undo it instead'],
  ]);
  command.action(
    does(async (terminal, service: string, environment: string, options: Options) => {
      needsTemporal(terminal, 'release', options);
      const { heldBy, refuseOpened, release } = await import('../../client/release.ts');
      const { holderText } = await import('../../client/holder.ts');
      return withConnection(async (connected) => {
        const holder = await heldBy(connected, service, environment);
        // What may not be ended is said before anybody is asked.
        if (!options.force) await refuseOpened(connected, holder, service, environment);
        const question = `${visible(holderText(holder, environment))}. Terminate its run ${holder.runId}?`;
        const answer = options.yes ? true : await terminal.confirm(question);
        if (answer === null)
          throw new Problem('usage', `${question} There is no terminal to confirm on`, 'add --yes');
        if (!answer) throw new Problem('not-allowed', 'nothing was terminated');
        const released = await release(connected, holder);
        if (options.output === 'json') terminal.print(JSON.stringify(released));
        else terminal.print(`released: ${released.workflowId}, run ${released.runId}`);
        return exitCodes.completed;
      });
    }),
  );
}
