// A private Temporal dev server with its Web UI on free loopback ports; or the one that TEMPORAL_ADDRESS
// names.
import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { findProgram } from './command.ts';
import { freePort } from './free-port.ts';

export interface DevServer {
  readonly address: string;
  /** Base of the Web UI's links, or null when it is not known. */
  readonly ui: string | null;
  stop(): Promise<void>;
}

/** Without these a dev server does one step per 100 ms. */
const UNTHROTTLED = ['history.transferProcessorMaxPollRPS=2000', 'history.timerProcessorMaxPollRPS=2000'];
const START_MS = 30_000;

/** Starts a server whose file and log lie in `folder`. @throws Error with the place of its log. */
export async function startDevServer(
  folder: string,
  options: { readonly headless?: boolean } = {},
): Promise<DevServer> {
  const given = process.env['TEMPORAL_ADDRESS'];
  if (given) return { address: given, ui: process.env['SOAKGATE_UI'] ?? null, stop: async () => undefined };
  const program = process.env['SOAKGATE_TEMPORAL'] ?? findProgram('temporal', process.env['PATH'] ?? '');
  if (!program)
    throw new Error('no Temporal server: run this through npm run demo or npm test, or set TEMPORAL_ADDRESS');
  const [port, uiPort] = [await freePort(), await freePort()];
  const args = [
    'server',
    'start-dev',
    '--ip',
    '127.0.0.1',
    '--port',
    String(port),
    ...(options.headless ? ['--headless'] : ['--ui-port', String(uiPort)]),
    '--db-filename',
    join(folder, 'temporal.db'),
    '--log-level',
    'error',
    ...UNTHROTTLED.flatMap((setting) => ['--dynamic-config-value', setting]),
  ];
  const log = await open(join(folder, 'temporal.log'), 'a');
  const child = spawn(program, args, { stdio: ['ignore', log.fd, log.fd], detached: true });
  await log.close();
  await untilListening(port, child, join(folder, 'temporal.log'));
  const stop = () => endProcess(child);
  return { address: `127.0.0.1:${port}`, ui: options.headless ? null : `http://127.0.0.1:${uiPort}`, stop };
}

async function untilListening(port: number, child: ChildProcess, log: string): Promise<void> {
  const deadline = Date.now() + START_MS;
  while (!(await listens(port))) {
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`the Temporal server does not come up; see ${log}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Ends a process and waits until it is gone. */
export async function endProcess(
  child: ChildProcess,
  signal: NodeJS.Signals = 'SIGTERM',
  forceAfterMs = 5_000,
): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  const force = setTimeout(() => child.kill('SIGKILL'), forceAfterMs);
  await gone;
  clearTimeout(force);
}
