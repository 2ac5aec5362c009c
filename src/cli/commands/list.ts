// soakgate list: all deployments, newest first, as Temporal's visibility has them.
import type { Command } from 'commander';
import { listMany } from '../../client/door.ts';
import { withDeploymentClient } from '../door.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Does } from '../main.ts';
import {
  type OutputOption,
  readCount,
  type ServerOption,
  withExamples,
  withOutput,
  withServer,
} from '../options.ts';
import { table } from '../render/table.ts';
import { at, healthCell } from '../render/words.ts';
import { visible } from '../terminal.ts';

interface Options extends OutputOption, ServerOption {
  readonly limit: number;
  readonly running?: boolean;
}

const head = ['deployment', 'service', 'phase', 'health', 'started', 'waiting for'].map(
  (text) => ({ text, tone: 'dim' }) as const,
);

export function register(command: Command, does: Does): void {
  command
    .option('--limit <number>', 'maximum number of deployments', readCount, 50)
    .option('--running', 'only running deployments');
  withServer(withOutput(command));
  withExamples(command, [
    ['soakgate list', 'the 50 newest deployments'],
    ['soakgate list --running', 'running deployments and what they wait for'],
    ['soakgate list -o json --limit 1000', 'as JSON'],
  ]);
  command.action(
    does(async (terminal, options: Options) => {
      const rows = await withDeploymentClient(options, (door) =>
        listMany(door, options.limit, options.running === true),
      );
      if (options.output === 'json') terminal.print(JSON.stringify(rows, null, 1));
      else if (rows.length === 0)
        terminal.say('no deployments here; soakgate start PLAN --as YOU starts one');
      else {
        const cells = rows.map((row) => [
          row.deployment,
          visible(row.service),
          visible(row.phase),
          healthCell(row.health),
          at(row.started),
          visible(row.waitingFor ?? '–'),
        ]);
        terminal.print(table([head, ...cells], terminal.paint).join('\n'));
      }
      return exitCodes.completed;
    }),
  );
}
