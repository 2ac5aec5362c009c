// The app's one way to PostgreSQL. `pg` is found in ORDERS_MODULES (a folder that contains node_modules),
// because a checkout has none of its own; otherwise from where this file lies.
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

function loadPg(modules) {
  const from = modules ? pathToFileURL(join(resolve(modules), 'package.json')) : import.meta.url;
  const pg = createRequire(from)('pg');
  pg.types.setTypeParser(20, Number); // bigint: ids and cents stay far below 2^53
  return pg;
}

/** Settings of one session. The name is fixed for the server: it must not inherit that of who started it. */
const session = (databaseUrl, name) => ({
  connectionString: databaseUrl,
  connectionTimeoutMillis: 2000,
  statement_timeout: 5000,
  ...name,
});

export function openPool({ databaseUrl, modules }) {
  const pool = new (loadPg(modules).Pool)({ ...session(databaseUrl, { application_name: 'orders' }), max: 10 });
  pool.on('error', () => {}); // an idle session was ended (restart, restore): the next query opens a new one
  return pool;
}

/** One session for a short command; PGAPPNAME, if set, stays its name. */
export async function withClient({ databaseUrl, modules }, work) {
  const client = new (loadPg(modules).Client)(session(databaseUrl, { fallback_application_name: 'orders-monitor' }));
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

export async function inTransaction(pool, work) {
  const client = await pool.connect();
  let broken;
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((failure) => (broken = failure));
    throw error;
  } finally {
    client.release(broken);
  }
}

const away = /^(08|57P|3D000|53300)/; // connection lost, shutting down, no such database, too many sessions
const busy = new Set(['40001', '40P01', '55P03', '57014']); // serialization, deadlock, lock or statement timeout

/** What a failed query means to the person who sent the request. */
export function explainFailure(error) {
  const code = String(error.code ?? '');
  if (error instanceof TypeError) return { status: 500, body: { error: 'internal' } };
  if (code.startsWith('23')) return { status: 400, body: { error: 'refused', constraint: error.constraint ?? null, code } };
  if (code.startsWith('22')) return { status: 400, body: { error: 'bad value', code } };
  if (busy.has(code)) return { status: 503, body: { error: 'busy', code } };
  if (away.test(code) || !/^[0-9A-Z]{5}$/.test(code)) return { status: 503, body: { error: 'database down', code } };
  return { status: 500, body: { error: 'internal', code } };
}
