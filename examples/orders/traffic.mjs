// `node traffic.mjs --url http://… [--rate 40] [--report FILE]`: customers at the shop, until SIGTERM.
// Open loop: requests are sent on a fixed schedule whether or not earlier ones were answered, and a latency runs
// from the moment a request was due, so a slow server cannot hide behind a slow sender. Only valid orders are
// written. One JSON line a second: {at, sent, ok, failed, p50, p95, answers}, latencies in ms; a refused
// connection, an answer of 400 or more and a silence of 5 s all count as failed.
import { appendFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { parseArgs } from 'node:util';

const SILENCE_MS = 5000;
const { values } = parseArgs({ options: { url: { type: 'string' }, rate: { type: 'string', default: '40' }, report: { type: 'string' } } });
const rate = Number(values.rate);
if (!values.url || !(rate > 0)) {
  console.error('say node traffic.mjs --url http://host:port [--rate 40] [--report FILE]');
  process.exit(2);
}

const agent = new Agent({ keepAlive: true });
const unpaid = []; // orders this run created and has not tried to pay: each is tried once
const pick = (n) => 1 + Math.floor(Math.random() * n);

const newOrder = () => ({
  customer: pick(2000),
  items: Array.from({ length: pick(3) }, (_, i) => ({ sku: `sku-${String(i * 100 + pick(100)).padStart(3, '0')}`, qty: pick(3), price: 100 + pick(9900) })),
});

/** 25 % list, 40 % get, 20 % create, 15 % pay (or create, while there is nothing to pay). */
function nextRequest() {
  const dice = Math.random();
  if (dice < 0.25) return { method: 'GET', path: '/orders' };
  if (dice < 0.65) return { method: 'GET', path: `/orders/${pick(20_000)}` };
  if (dice >= 0.85 && unpaid.length > 0) return { method: 'POST', path: `/orders/${unpaid.shift()}/pay` };
  return { method: 'POST', path: '/orders', body: newOrder() };
}

/** The status of the answer and, for a new order, its id; never rejects. */
function send({ method, path, body }) {
  return new Promise((resolve) => {
    const failed = (error) => resolve({ answer: error.code ?? error.message });
    const text = body && JSON.stringify(body);
    const headers = text ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } : {};
    const sent = request(new URL(path, values.url), { method, headers, agent, signal: AbortSignal.timeout(SILENCE_MS) }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', failed);
      response.on('end', () => resolve({ answer: response.statusCode, id: response.statusCode === 201 ? JSON.parse(Buffer.concat(chunks)).id : undefined }));
    });
    sent.on('error', failed);
    sent.end(text);
  });
}

const emptySecond = () => ({ sent: 0, ok: 0, failed: 0, latencies: [], answers: {} });
let second = emptySecond();
let inFlight = 0;

async function sendDue(due) {
  second.sent += 1;
  inFlight += 1;
  const { answer, id } = await send(nextRequest());
  inFlight -= 1;
  if (id !== undefined) unpaid.push(id);
  second[answer < 400 ? 'ok' : 'failed'] += 1;
  second.answers[answer] = (second.answers[answer] ?? 0) + 1;
  second.latencies.push(performance.now() - due);
}

function report() {
  const { sent, ok, failed, latencies, answers } = second;
  second = emptySecond();
  latencies.sort((a, b) => a - b);
  const at = (share) => (latencies.length ? Math.round(latencies[Math.ceil(share * latencies.length) - 1] * 10) / 10 : null);
  const line = `${JSON.stringify({ at: new Date().toISOString(), sent, ok, failed, p50: at(0.5), p95: at(0.95), answers })}\n`;
  if (values.report) appendFileSync(values.report, line);
  else process.stdout.write(line);
}

const startedAt = performance.now();
let count = 0;
let sending;
function sendOnTime() {
  const due = (n) => startedAt + (n * 1000) / rate;
  for (; due(count) <= performance.now(); count += 1) void sendDue(due(count));
  sending = setTimeout(sendOnTime, Math.max(1, due(count) - performance.now()));
}
sendOnTime();
const reporting = setInterval(report, 1000);

function stop() {
  clearTimeout(sending);
  clearInterval(reporting);
  const deadline = performance.now() + SILENCE_MS;
  const waiting = setInterval(() => {
    if (inFlight > 0 && performance.now() < deadline) return;
    clearInterval(waiting);
    report();
    process.exit(0);
  }, 20);
}
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
