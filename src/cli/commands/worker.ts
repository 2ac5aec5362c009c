// soakgate worker: runs a worker as a process of its own; signals go on to it, and its exit code comes back.
import type { Command } from 'commander';
import type { Does } from '../main.ts';
import { needsTemporal } from '../door.ts';
import { type LogOption, type ServerOption, withExamples, withLogLevel, withoutServer } from '../options.ts';
import type { Terminal } from '../terminal.ts';

type WorkerOptions = ServerOption & LogOption;

export function register(command: Command, does: Does): void {
  withExamples(command, [
    [
      'soakgate worker control --artifacts /var/lib/soakgate/artifacts --key control.key',
      'workflows, gates, evidence; no database credentials',
    ],
    ['DATABASE_URL=… soakgate worker environment --file staging.yaml', 'the steps of one environment'],
  ]);
  const control = command
    .command('control')
    .summary('Workflows, gates, signatures and evidence')
    .description('Run the control worker.');
  control
    .requiredOption('--artifacts <dir>', 'artifact store')
    .requiredOption(
      '--key <file>',
      'private key that signs gate reports and manifests (soakgate key create control)',
    );
  withExamples(withLogLevel(withoutServer(control)), [
    [
      'soakgate worker control --artifacts artifacts --key control.key',
      'Ctrl-C finishes running work, then stops',
    ],
  ]);
  control.action(
    does((terminal, options: WorkerOptions & { readonly artifacts: string; readonly key: string }) =>
      runWorker(terminal, ['control', '--artifacts', options.artifacts, '--key', options.key], options),
    ),
  );
  const environment = command
    .command('environment')
    .summary('The steps of one environment')
    .description('Run the worker of one environment.');
  environment.requiredOption('--file <file>', "the environment's file: services, people, guardrails");
  withExamples(withLogLevel(withoutServer(environment)), [
    [
      'DATABASE_URL=… soakgate worker environment --file staging.yaml',
      'the file refers to secrets; their values stay in this environment',
    ],
  ]);
  environment.action(
    does((terminal, options: WorkerOptions & { readonly file: string }) =>
      runWorker(terminal, ['environment', '--file', options.file], options),
    ),
  );
}

async function runWorker(
  terminal: Terminal,
  args: readonly string[],
  options: WorkerOptions,
): Promise<number> {
  needsTemporal(terminal, 'worker', options);
  const [{ handOver }, { workerEntry }] = await Promise.all([
    import('../hand-over.ts'),
    import('../demo/worker-process.ts'),
  ]);
  return handOver(terminal, workerEntry(), [...args, '--log-level', options.logLevel]);
}
