// soakgate schema: the published JSON Schema of a plan.
import type { Command } from 'commander';
import { planJsonSchema } from '../../core/plan/schema.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Does } from '../main.ts';
import { withExamples } from '../options.ts';

export function register(command: Command, does: Does): void {
  withExamples(command, [
    ['soakgate schema > soakgate.schema.json', 'save the schema beside your plans'],
    [
      'echo "# yaml-language-server: \\$schema=soakgate.schema.json"',
      'first line of a plan, so that your editor validates it',
    ],
  ]);
  command.action(
    does(async (terminal) => {
      terminal.print(JSON.stringify(planJsonSchema(), null, 2));
      return exitCodes.completed;
    }),
  );
}
