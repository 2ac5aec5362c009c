// The servers of the workflow tests. The SDK gives one five seconds to come up, which a busy machine does not
// always make.
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { endProcess } from '../../src/io/dev-server.ts';
import { freePort } from '../../src/io/free-port.ts';

export const timeSkippingServer = process.env['SOAKGATE_TIME_SKIPPING'];
export const devServer = process.env['SOAKGATE_TEMPORAL'];

const START_MS = 50_000;

export interface StartedServer {
  readonly env: TestWorkflowEnvironment;
  stop(): Promise<void>;
}

/** `real`: a dev server; the time-skipping one tells nobody of a termination. */
export async function startServer(real: boolean): Promise<StartedServer> {
  const port = await freePort();
  const [program, args] = real
    ? [devServer!, ['server', 'start-dev', '--headless', '--port', String(port), '--log-level', 'error']]
    : [timeSkippingServer!, [String(port)]];
  const child = spawn(program, args, { stdio: 'ignore' });
  const endWithUs = () => child.kill('SIGKILL');
  process.once('exit', endWithUs);
  for (const deadline = Date.now() + START_MS; !(await listens(port));) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${program} does not come up`);
    await new Promise((wake) => setTimeout(wake, 100));
  }
  const env = await whenHealthy(() => open(`127.0.0.1:${port}`, real), Date.now() + START_MS);
  const stop = async () => {
    await env.teardown();
    process.off('exit', endWithUs);
    await endProcess(child);
  };
  return { env, stop };
}

const open = (address: string, real: boolean): Promise<TestWorkflowEnvironment> =>
  real ? TestWorkflowEnvironment.createFromExistingServer({ address }) : skipping(address);

/** A server that listens already may still refuse every call: "Frontend is not healthy yet". */
export async function whenHealthy<T>(connected: () => Promise<T>, deadline: number): Promise<T> {
  for (;;)
    try {
      return await connected();
    } catch (error) {
      if (Date.now() > deadline || !/not healthy yet|unavailable/i.test((error as Error).message))
        throw error;
      await new Promise((wake) => setTimeout(wake, 200));
    }
}

/** The SDK itself connects to a time-skipping server only when it has started it. */
const skipping = (address: string): Promise<TestWorkflowEnvironment> =>
  (
    TestWorkflowEnvironment as unknown as { create(options: object): Promise<TestWorkflowEnvironment> }
  ).create({ server: { type: 'existing' }, supportsTimeSkipping: true, address });

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
