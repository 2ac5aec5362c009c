// The orders service: one process, one or two listeners (outside, and inside for checks behind maintenance).
// Ends with 1 when a port is taken or a setting is missing; on SIGTERM answers what it has begun, then ends with 0.
import { createServer } from 'node:http';
import { openPool } from './database.mjs';
import { watchFault } from './fault.mjs';
import { answer } from './routes.mjs';
import { readServerSettings } from './settings.mjs';

const GRACE_MS = 5000;

function listen(server, port, host) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
}

/** Kept-alive connections would hold a server open for as long as their clients go on asking: each ends with its answer. */
function close(server) {
  server.on('request', (_, response) => (response.shouldKeepAlive = false));
  const sweep = setInterval(() => server.closeIdleConnections(), 20);
  return new Promise((resolve) => server.close(resolve)).finally(() => clearInterval(sweep));
}

async function main() {
  const settings = readServerSettings(process.argv.slice(2));
  const pool = openPool(settings);
  const app = { pool, build: settings.build, strike: watchFault(settings.faultFile), maintenanceFlag: settings.maintenanceFlag };
  const outside = createServer(answer(app, { inside: false }));
  const inside = createServer(answer(app, { inside: true }));
  const servers = settings.insidePort ? [inside, outside] : [outside];

  // The outside opens last: who reaches it reaches a complete service.
  if (settings.insidePort) await listen(inside, settings.insidePort, settings.host);
  await listen(outside, settings.port, settings.host);
  console.log(`orders ${settings.build} listens on ${settings.host}:${settings.port}`);

  let stopping = false;
  async function stop() {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), GRACE_MS).unref();
    await Promise.all(servers.map(close));
    await pool.end();
    process.exit(0);
  }
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

main().catch((error) => {
  console.error(`orders cannot start: ${error.message}`);
  process.exit(1);
});
