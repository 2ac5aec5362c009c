// Where the app learns about its host: from its environment only. Nothing has a silent default that could point
// at a wrong database. Relative paths count from the release's own folder: a checkout lies in `releases/<commit>`,
// so `../../maintenance.flag` lies beside `releases/`.
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

const folder = import.meta.dirname;
const inFolder = (path) => (path ? resolve(folder, path) : undefined);

function port(name, value) {
  const number = Number(value);
  if (Number.isInteger(number) && number > 0 && number < 65536) return number;
  throw new Error(`${name} is not a port: ${value}`);
}

/** The commit that serves: what Soakgate wrote into the checkout, a file of our own, BUILD_ID, or `dev`. */
function buildId(env) {
  for (const name of ['.soakgate-build', 'build-id']) {
    const path = resolve(folder, name);
    if (existsSync(path)) return readFileSync(path, 'utf8').trim();
  }
  return env.BUILD_ID || 'dev';
}

/** What the server and the monitor both need. */
export function readDatabaseSettings(env = process.env) {
  if (!env.DATABASE_URL) throw new Error('DATABASE_URL is not set');
  return { databaseUrl: env.DATABASE_URL, modules: env.ORDERS_MODULES };
}

export function readServerSettings(argv, env = process.env) {
  const { values } = parseArgs({ args: argv, options: { port: { type: 'string' } } });
  return {
    ...readDatabaseSettings(env),
    host: env.HOST || '127.0.0.1',
    port: port('PORT', values.port ?? env.PORT),
    insidePort: env.INSIDE_PORT ? port('INSIDE_PORT', env.INSIDE_PORT) : undefined,
    maintenanceFlag: inFolder(env.MAINTENANCE_FLAG),
    faultFile: inFolder(env.ORDERS_FAULT),
    build: buildId(env),
  };
}
