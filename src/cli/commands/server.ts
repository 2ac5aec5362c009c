// soakgate server: the HTTP server as a process of its own; signals go on to it, and its exit code comes
// back.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Command, InvalidArgumentError } from 'commander';
import type { Does } from '../main.ts';
import { type LogOption, type OutputOption, withExamples, withLogLevel, withOutput } from '../options.ts';

interface Options extends OutputOption, LogOption {
  readonly host: string;
  readonly port: string;
}

export function register(command: Command, does: Does): void {
  command
    .option(
      '--host <name>',
      'address to listen on; use TLS in front if it is reachable from other machines',
      '127.0.0.1',
    )
    .option('--port <number>', 'port to listen on; 0 chooses a free one', readPort, '8230');
  withLogLevel(withOutput(command));
  withExamples(command, [
    ['soakgate server', 'for this machine: http://127.0.0.1:8230/v1/openapi.json describes the API'],
    ['soakgate server --port 0 -o json', 'on a free port, which is printed as JSON'],
    [
      'soakgate start soakgate.yaml --as ann --server http://127.0.0.1:8230',
      'a command that uses this server',
    ],
  ]);
  command.action(
    does(async (terminal, { host, port, output, logLevel }: Options) => {
      const { handOver } = await import('../hand-over.ts');
      return handOver(terminal, serverEntry(), [
        '--host',
        host,
        '--port',
        port,
        '--output',
        output,
        '--log-level',
        logLevel,
      ]);
    }),
  );
}

function readPort(text: string): string {
  if (!/^[0-9]{1,5}$/u.test(text) || Number(text) > 65_535)
    throw new InvalidArgumentError('write a port, 0 to 65535.');
  return text;
}

/** The source in a checkout, the built file in a package. */
function serverEntry(): string {
  const source = fileURLToPath(new URL('../../api/main.ts', import.meta.url));
  return existsSync(source) ? source : source.replace(/\.ts$/u, '.js');
}
