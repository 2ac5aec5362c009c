// soakgate demo: a process of its own, to which every argument is passed on.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { Problem } from '../../client/problem.ts';
import type { Does } from '../main.ts';
import { withExamples } from '../options.ts';

export function register(command: Command, does: Does): void {
  command.argument('[arguments...]', 'arguments for the demo').allowUnknownOption().passThroughOptions();
  withExamples(command, [
    ['soakgate demo', 'a whole deployment on a private server and database, in about a minute'],
    [
      'soakgate demo --ci --break soak --pace 7d=15s',
      'ask nothing, let a monitor breach in the soak, and compress a week to fifteen seconds',
    ],
    ['npm run demo', 'the same; also installs what is missing'],
  ]);
  command.action(
    does(async (terminal, args: readonly string[]) => {
      const { handOver } = await import('../hand-over.ts');
      const script = ['../demo/main.ts', '../demo/main.js']
        .map((path) => fileURLToPath(new URL(path, import.meta.url)))
        .find((path) => existsSync(path));
      const example = fileURLToPath(new URL('../../../examples/orders', import.meta.url));
      if (!script || !existsSync(example))
        throw new Problem(
          'usage',
          'the demo needs the examples of the checkout, and the npm package does not contain them',
          'in a checkout: npm run demo',
        );
      return handOver(terminal, script, args);
    }),
  );
}
