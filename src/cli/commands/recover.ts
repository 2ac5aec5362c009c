// soakgate recover: for a deployment that somebody terminated in Temporal; everything it did is undone.
import type { Command } from 'commander';
import { withConnection } from '../connected.ts';
import { needsTemporal } from '../door.ts';
import { exitOfOutcomes } from '../exit-codes.ts';
import { readKey } from '../keys.ts';
import type { Does } from '../main.ts';
import {
  type OutputOption,
  readName,
  type ServerOption,
  withExamples,
  withOutput,
  withoutServer,
} from '../options.ts';
import { visible } from '../terminal.ts';

interface Options extends OutputOption, ServerOption {
  readonly as: string;
  readonly key?: string;
}

export function register(command: Command, does: Does): void {
  command
    .argument('<deployment>', 'as soakgate list shows it', readName)
    .requiredOption('--as <person>', 'your name in the environment file', readName)
    .option('--key <file>', 'private key (default: <person>.key in your key folder)');
  withoutServer(withOutput(command));
  withExamples(command, [
    [
      'soakgate recover shop-2026-08 --as dan',
      'undo the changes; exit code 3 when restored, 5 when differences remain',
    ],
    ['soakgate status shop-2026-08', 'first check whether a rollout was terminated'],
  ]);
  command.action(
    does(async (terminal, deployment: string, options: Options) => {
      needsTemporal(terminal, 'recover', options);
      const key = await readKey(options.as, options.key);
      terminal.leaving =
        `stopped watching; the recovery continues: soakgate recover ${deployment} --as ${options.as} ` +
        'watches it again';
      const { recover } = await import('../../client/recover.ts');
      const recovered = await withConnection((connected) =>
        recover(connected, deployment, options.as, key, (text) => terminal.say(text)),
      );
      if (options.output === 'json') terminal.print(JSON.stringify(recovered, null, 1));
      else {
        for (const { environment, result } of recovered)
          terminal.print(
            [
              `${environment}: ${result.outcome}`,
              ...result.differences.map((line) => `  differences remain: ${visible(line)}`),
            ].join('\n'),
          );
      }
      return exitOfOutcomes(recovered.map(({ result }) => result.outcome));
    }),
  );
}
