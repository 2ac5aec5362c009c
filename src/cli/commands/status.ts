// soakgate status: where a deployment is, what it waits for, what to type next; with --watch to its end.
import type { Command } from 'commander';
import { withDeploymentClient } from '../door.ts';
import { exitCodes, exitOfStatus } from '../exit-codes.ts';
import type { Does } from '../main.ts';
import {
  type OutputOption,
  readDuration,
  readName,
  type ServerOption,
  withExamples,
  withOutput,
  withServer,
} from '../options.ts';
import { renderStatus } from '../render/status.ts';
import { watch } from '../watch.ts';

interface Options extends OutputOption, ServerOption {
  readonly watch?: boolean;
  readonly timeout?: number;
}

export function register(command: Command, does: Does): void {
  command
    .argument('<deployment>', 'as soakgate list shows it', readName)
    .option('--watch', 'watch it until it ends; changes on stderr, the last status on stdout')
    .option('--timeout <duration>', 'stop watching after this time, with exit code 124', readDuration);
  withServer(withOutput(command));
  withExamples(command, [
    [
      'soakgate status shop-2026-08',
      'steps, times, what it waits for and the next command; exit code 8 while it runs',
    ],
    [
      'soakgate status shop-2026-08 --watch',
      'watch it until it ends and exit with its code; Ctrl-C stops the display only',
    ],
    ['soakgate status shop-2026-08 --watch --timeout 30m -o json', 'the same in CI'],
  ]);
  command.action(
    does((terminal, deployment: string, options: Options) =>
      withDeploymentClient(options, async (door) => {
        const { read } = await door.status(deployment);
        const { status, code } = options.watch
          ? await watch(terminal, read, options.timeout)
          : await read().then((now) => ({ status: now, code: exitOfStatus(now) }));
        if (options.output === 'json') terminal.print(JSON.stringify({ ...status, exitCode: code }, null, 1));
        // Drawn already for the person who looks on.
        else if (!options.watch || !terminal.live || process.stdout.isTTY !== true)
          terminal.print(renderStatus(status, { paint: terminal.paint }).join('\n'));
        if (code === exitCodes['timed-out'])
          terminal.say(`still running after the timeout: soakgate status ${deployment} --watch`);
        return code;
      }),
    ),
  );
}
