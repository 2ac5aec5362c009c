// From a request to an answer. The outside honours the maintenance flag, the inside does not.
import { existsSync } from 'node:fs';
import { explainFailure } from './database.mjs';
import { createOrder, getOrder, listOrders, payOrder, shipOrder } from './orders.mjs';

const LIMIT = 64 * 1024;

async function readJson(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > LIMIT) throw Object.assign(new Error('body too large'), { status: 413 });
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw Object.assign(new Error('body is not JSON'), { status: 400 });
  }
}

async function health(pool, build) {
  const database = await pool.query('select 1').then(() => 'ok', () => 'down');
  const status = database === 'ok' ? 'ok' : 'down';
  return { status: status === 'ok' ? 200 : 503, body: { status, database, build } };
}

async function route(request, { pool, build }) {
  const { pathname } = new URL(request.url, 'http://orders');
  const [, name, id, action, ...rest] = pathname.split('/');
  const asked = `${request.method} ${name}${id ? '/id' : ''}${action ? `/${action}` : ''}`;
  if (rest.length === 0 && (!id || /^\d{1,15}$/.test(id))) {
    if (asked === 'GET health') return health(pool, build);
    if (asked === 'GET orders') return listOrders(pool);
    if (asked === 'POST orders') return createOrder(pool, await readJson(request));
    if (asked === 'GET orders/id') return getOrder(pool, Number(id));
    if (asked === 'POST orders/id/pay') return payOrder(pool, Number(id));
    if (asked === 'POST orders/id/ship') return shipOrder(pool, Number(id));
  }
  return { status: 404, body: { error: 'no such path' } };
}

/** `app` is {pool, build, strike, maintenanceFlag}; `inside` ignores the flag. */
export const answer = (app, { inside }) => async (request, response) => {
  let result;
  try {
    if (!inside && app.maintenanceFlag && existsSync(app.maintenanceFlag)) {
      result = { status: 503, body: { status: 'maintenance', build: app.build } };
    } else if (/^\/(health|orders)\b/.test(request.url) && (await app.strike())) {
      result = { status: 500, body: { error: 'fault switch' } };
    } else {
      result = await route(request, app);
    }
  } catch (error) {
    result = error.status ? { status: error.status, body: { error: error.message } } : explainFailure(error);
    if (result.status >= 500) console.error(`${request.method} ${request.url}: ${error.message}`);
  }
  const text = JSON.stringify(result.body);
  response.writeHead(result.status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
};
