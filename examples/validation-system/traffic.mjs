// `node traffic.mjs --url http://… [--rate 4] [--report FILE]`: a table that plays on, until SIGTERM.
// So many rounds a second, each begun on time whether or not earlier ones have ended: a scene gives XP to two heroes,
// one of them spends some, a storyteller approves. One JSON line a second: {at, sent, ok, failed, p50, p95, answers}.
import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const SILENCE_MS = 5000;
const TRAITS = ['strength', 'dexterity', 'stamina', 'perception', 'wits', 'alertness', 'brawl', 'empathy'];
const { values } = parseArgs({ options: { url: { type: 'string' }, rate: { type: 'string', default: '4' }, report: { type: 'string' } } });
const rate = Number(values.rate);
if (!values.url || !(rate > 0)) {
  console.error('say node traffic.mjs --url http://host:port [--rate 4] [--report FILE]');
  process.exit(2);
}

const emptySecond = () => ({ sent: 0, ok: 0, failed: 0, latencies: [], answers: {} });
let second = emptySecond();

/** The answer's body; throws what ends the round. */
async function post(path, body = {}) {
  const began = performance.now();
  second.sent += 1;
  let answer;
  try {
    const response = await fetch(new URL(path, values.url), { method: 'POST', body: JSON.stringify(body), signal: AbortSignal.timeout(SILENCE_MS) });
    answer = response.status;
    if (response.ok) return await response.json();
    await response.text();
    throw new Error(`${path} answered ${answer}`);
  } catch (error) {
    answer ??= error.cause?.code ?? error.name;
    throw error;
  } finally {
    second[answer < 400 ? 'ok' : 'failed'] += 1;
    second.answers[answer] = (second.answers[answer] ?? 0) + 1;
    second.latencies.push(performance.now() - began);
  }
}

/** Two new heroes each time, so that no trait ever reaches its limit. */
async function playRound(number) {
  const heroes = [];
  for (const name of ['Hero', 'Companion']) heroes.push((await post('/api/characters/', { name: `${name} of round ${number}` })).id);
  const scene = await post('/api/scenes/', { name: `Round ${number}`, participants: heroes });
  await post(`/api/scenes/${scene.id}/award-xp/`, { xp: 5 });
  const spend = await post(`/api/characters/${heroes[0]}/spend-xp/`, { trait: TRAITS[number % TRAITS.length], cost: 3 });
  await post(`/api/xp-spends/${spend.id}/approve/`);
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

let number = 0;
const open = new Set();
const playing = setInterval(() => {
  const round = playRound((number += 1)).catch(() => {}).finally(() => open.delete(round));
  open.add(round);
}, 1000 / rate);
const reporting = setInterval(report, 1000);

async function stop() {
  clearInterval(playing);
  clearInterval(reporting);
  await Promise.all(open);
  report();
  process.exit(0);
}
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
