// The process: `soakgate server` spawns it. Holds no key; proves nobody.
//   main.ts --host NAME --port NUMBER --output text|json [--log-level LEVEL]
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { lazyClient } from '../client/connection.ts';
import { connectionNames } from '../client/connection-names.ts';
import { exitCodes } from '../client/outcome.ts';
import { messageOf } from '../client/problem.ts';
import { temporalDeploymentClient } from '../client/temporal-door.ts';
import { levelOf } from '../io/log-level.ts';
import { openLog } from '../io/log.ts';
import { makeApp } from './app.ts';
import { isLoopback } from './guard.ts';
import { makeServer } from './listener.ts';
import { openStartThreads } from './start-threads.ts';

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '8230' },
    output: { type: 'string', default: 'text' },
    'log-level': { type: 'string' },
  },
});
const { host, output } = values;
/** Longer than the longest answer takes. */
const DRAIN_MS = 25_000;
const SWEEP_MS = 100;

const log = openLog({
  level: levelOf(values['log-level'] ?? process.env['SOAKGATE_LOG_LEVEL']),
  fields: { process: 'server' },
});
const loopbackOnly = isLoopback(host);
const door = temporalDeploymentClient(lazyClient());
const threads = openStartThreads();
const server = makeServer(
  makeApp({ door, readStart: (body) => threads.read(body), loopbackOnly, log }).fetch,
);

try {
  server.listen(Number(values.port), host);
  await once(server, 'listening');
} catch (error) {
  log.error(`cannot listen on ${host}:${values.port} (${messageOf(error)}); choose another --host or --port`);
  process.exit(exitCodes.usage);
}

const { address, port, family } = server.address() as AddressInfo;
const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
const temporal = connectionNames();
log.info(`soakgate server: ${url}, Temporal at ${temporal.address}, namespace ${temporal.namespace}`);
if (!loopbackOnly)
  log.warn(
    `${host} is reached from elsewhere. Signatures prove who decides, but anybody may read: put TLS ` +
      'and a login in front',
  );
if (output === 'json')
  process.stdout.write(
    `${JSON.stringify({ url, pid: process.pid, temporal: temporal.address, namespace: temporal.namespace })}\n`,
  );

let leaving = false;
/** Takes nothing new, finishes what is begun. */
async function leave(code: number): Promise<void> {
  if (leaving) process.exit(code);
  leaving = true;
  const closed = once(server, 'close');
  server.close();
  // A connection that has just been answered would be kept open for the next request.
  setInterval(() => server.closeIdleConnections(), SWEEP_MS).unref();
  setTimeout(() => server.closeAllConnections(), DRAIN_MS).unref();
  await closed;
  await Promise.all([door.close(), threads.close()]);
  process.exit(code);
}
process.on('SIGTERM', () => void leave(exitCodes.completed));
process.on('SIGINT', () => void leave(exitCodes.interrupted));
