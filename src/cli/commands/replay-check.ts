// soakgate replay-check: before new workers start, whether their code can go on with what the old ones began.
import type { Command } from 'commander';
import { needsTemporal } from '../door.ts';
import type { Does } from '../main.ts';
import { type OutputOption, type ServerOption, withExamples, withOutput, withoutServer } from '../options.ts';

export function register(command: Command, does: Does): void {
  withoutServer(withOutput(command));
  withExamples(command, [
    ['soakgate replay-check', 'before you start workers of a new version; exit code 1 when one does not fit'],
    ['soakgate replay-check -o json', 'as JSON'],
  ]);
  command.action(
    does(async (terminal, options: OutputOption & ServerOption) => {
      needsTemporal(terminal, 'replay-check', options);
      const [{ handOver }, { workerEntry }] = await Promise.all([
        import('../hand-over.ts'),
        import('../demo/worker-process.ts'),
      ]);
      return handOver(terminal, workerEntry('replay-check'), options.output === 'json' ? ['--json'] : []);
    }),
  );
}
