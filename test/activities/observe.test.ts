// observe on real sources: metrics on disk as they are taken, those of a killed attempt recovered, back at
// once on breach and cancel.
import { appendFile, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { AfterwardsMemory, AfterwardsResult } from '../../src/core/activities.ts';
import { afterwardsWorkflowId } from '../../src/core/ids.ts';
import { newSoak, type ObserveResult, type SoakState } from '../../src/core/soak.ts';
import { freePort } from '../../src/io/free-port.ts';
import {
  type Attempt,
  BACKUP,
  type Bench,
  DATA,
  failureOf,
  type Hands,
  type HandsSpec,
  MIGRATE,
  permit,
  raiseBench,
} from '../support/hands.ts';

let bench: Bench;
let site: { server: Server; port: number; status: number };
beforeAll(async () => {
  bench = await raiseBench();
  site = {
    port: await freePort(),
    status: 200,
    server: createServer((_request, response) => response.writeHead(site.status).end('{}')),
  };
  await new Promise<void>((resolve) => site.server.listen(site.port, '127.0.0.1', resolve));
});
afterAll(async () => {
  site.server.close();
  await bench?.stop();
});

const MONITORS = `{ site: { read: { http: { get: /health, status: 200 } }, metrics: { failures: { objective: exactly 0, alert: above 2 in a row } } },
  orders: { read: { sql: monitors/count.sql }, metrics: { total: { at: /total, unit: count, objective: at least 1, alert: below 1 } } } }`;
const PACE = { nominalMs: 600_000, realMs: 3_000 };
const open = (spec: Partial<HandsSpec> = {}) =>
  permit(bench, {
    steps: BACKUP + DATA + MIGRATE,
    monitors: MONITORS,
    pace: PACE,
    port: site.port,
    edit: (checkout) =>
      writeFile(join(checkout, 'monitors/count.sql'), 'select count(*) as total from orders'),
    ...spec,
  });
const observe = (hands: Hands, sliceMs: number, state: SoakState = newSoak(), options: Attempt = {}) =>
  hands.call<ObserveResult>('observe', { rollout: hands.rollout, phase: 'soak', sliceMs, state }, options);
const metrics = async (hands: Hands) =>
  (
    await hands.world.artifacts
      .read(`evidence/${hands.rollout.deployment}/logs/here/soak-metrics.jsonl`)
      .catch(() => '')
  )
    .split('\n')
    .filter((line) => line !== '')
    .map(
      (line) =>
        JSON.parse(line) as {
          at: number;
          monitor: string;
          samples: { value: number | null }[];
          error?: string;
        },
    );

test('a slice: every monitor at its cadence, each sample on disk', async () => {
  const hands = await open();
  const result = await observe(hands, 1_200);
  expect(result).toMatchObject({ breaches: [], verdict: null });
  const lines = await metrics(hands);
  expect(lines).toHaveLength(result.metrics);
  expect(lines.filter((line) => line.monitor === 'site').length).toBeGreaterThanOrEqual(2);
  expect(lines.find((line) => line.monitor === 'orders')?.samples).toEqual([
    expect.objectContaining({ value: 50 }),
  ]);
  expect(result.summary.join()).toMatch(/orders\/total: \d+ samples?, mean 50, 50 … 50/u);
  // The next slice goes on where this one ended, to the end of the soak.
  const last = await observe(hands, 10_000, result.state);
  expect(last).toMatchObject({ verdict: 'passed' });
  const input = { rollout: hands.rollout, phase: 'soak', sliceMs: 1, state: last.state, asking: true };
  expect(
    await hands.call('observe', input),
    'while people are asked nobody says that it has passed',
  ).toMatchObject({ verdict: null });
});

test('metrics are on disk while it still runs, and those of a killed attempt are taken in by the next', async () => {
  const hands = await open();
  const during: number[] = [];
  const timer = setInterval(() => void metrics(hands).then((lines) => during.push(lines.length)), 200);
  await observe(hands, 1_200);
  clearInterval(timer);
  expect(during.some((count) => count > 2 && count < 8)).toBe(true);
  const written = (await metrics(hands)).length;
  // What the first attempt returned was lost with its worker: the second begins with the state of before.
  const second = await observe(hands, 1, newSoak(), { attempt: 2 });
  expect(second.metrics).toBeGreaterThanOrEqual(written);
  expect(second.state.startedAt).toBe((await metrics(hands))[0]?.at);
});

test('what a stranger writes among the artifacts is no reading, and what he takes away was taken', async () => {
  const hands = await open();
  const first = await observe(hands, 600);
  const name = `evidence/${hands.rollout.deployment}/logs/here/soak-metrics.jsonl`;
  const file = await hands.world.artifacts.path(name);
  const forged = (await metrics(hands)).at(-1)!;
  for (const content of ['', `${JSON.stringify({ ...forged, at: forged.at + 1 })}\n`.repeat(50)]) {
    await writeFile(file, content);
    // The answer of the first attempt was lost.
    const again = await observe(hands, 1, newSoak(), { attempt: 2 });
    const read = (state: SoakState) => state.metrics['site/failures']?.read ?? 0;
    expect(read(again.state)).toBeGreaterThanOrEqual(read(first.state));
    expect(read(again.state)).toBeLessThan(read(first.state) + 10);
  }
});

test('a reading that a full disk has cut off is one that was never taken', async () => {
  const hands = await open();
  const first = await observe(hands, 300);
  const file = await hands.world.artifacts.path(
    `evidence/${hands.rollout.deployment}/logs/here/soak-metrics.jsonl`,
  );
  await appendFile(file, '{"at":17, "monitor": "si');
  const second = await observe(hands, 300, first.state, { attempt: 2 });
  expect(second.state.metrics['site/failures']?.read).toBeGreaterThan(
    first.state.metrics['site/failures']?.read ?? 0,
  );
  const whole = (await readFile(file, 'utf8')).split('\n').filter((line) => line.endsWith('}'));
  expect(whole).toHaveLength(first.metrics + second.metrics);
});

test('a clock that is set back two hours in a slice: readings go on at their cadence, each taken once', async () => {
  const hands = await open(LONG);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now(), shouldAdvanceTime: true });
  try {
    setTimeout(() => vi.setSystemTime(Date.now() - 2 * 3_600_000), 900);
    const first = await observe(hands, 2_400);
    const lines = await metrics(hands);
    const back = lines.findIndex(({ at }, index) => index > 0 && at < lines[index - 1]!.at);
    expect(back).toBeGreaterThan(0);
    expect(lines.length - back).toBeGreaterThan(2);
    const killed = await observe(hands, 1, newSoak(), { attempt: 2 });
    const next = await observe(hands, 1, first.state);
    const read = (result: ObserveResult) => result.state.metrics['site/failures']!.read;
    // One reading of each monitor begins every slice.
    expect([read(killed), read(next)]).toEqual([read(first) + 1, read(first) + 2]);
  } finally {
    vi.useRealTimers();
  }
});

/** A soak that is far from over. */
const LONG: Partial<HandsSpec> = {
  soak: '{ for: 7d, every: 1h, gap: at most 5h }',
  pace: { nominalMs: 604_800_000, realMs: 60_000 },
};
/** Both monitors, each hour of the seven days. */
const FULL = 2 * 7 * 24;

test('back at once on a breach, with what it has', async () => {
  const hands = await open(LONG);
  setTimeout(() => (site.status = 500), 500);
  const result = await observe(hands, 60_000);
  site.status = 200;
  expect(result.breaches).toEqual([
    expect.objectContaining({ monitor: 'site', metric: 'failures', is: 'alert' }),
  ]);
  expect(result.metrics).toBeGreaterThan(4);
  expect(result.metrics).toBeLessThan(FULL / 2);
});

test('back at once when it is cancelled, with what it has', async () => {
  const hands = await open(LONG);
  const result = await observe(hands, 60_000, newSoak(), {
    during: (environment) => void setTimeout(() => environment.cancel(), 800),
  });
  expect(result).toMatchObject({ breaches: [], verdict: null });
  expect(result.metrics).toBeGreaterThan(2);
  expect(result.metrics).toBeLessThan(FULL / 2);
});

test('a source that cannot be read is a missing sample with its reason, never a good one', async () => {
  const hands = await open({
    edit: (checkout) => writeFile(join(checkout, 'monitors/count.sql'), 'select no_such_column from orders'),
  });
  const result = await observe(hands, 5_000);
  const bad = (await metrics(hands)).filter((line) => line.monitor === 'orders');
  expect(bad.length).toBeGreaterThan(2);
  expect(bad.every((line) => line.samples[0]?.value === null && line.error?.includes('no_such_column'))).toBe(
    true,
  );
  expect(result.verdict).not.toBe('passed');
  // A write is not a metric.
  const writer = await open({
    edit: (checkout) =>
      writeFile(join(checkout, 'monitors/count.sql'), "select setval('orders_id_seq', 1) as total"),
  });
  await observe(writer, 300);
  expect((await metrics(writer)).find((line) => line.monitor === 'orders')?.error).toContain(
    'it calls setval',
  );
  // PostgreSQL 15 lets a read-only transaction write large objects, and a function may hide it.
  const hidden = await open({
    edit: (checkout) => writeFile(join(checkout, 'monitors/count.sql'), 'select leave_one() as total'),
  });
  await hidden.sql(
    'create function leave_one() returns oid language sql volatile as $$ select lo_create(0) $$',
  );
  await observe(hidden, 300);
  expect((await metrics(hidden)).find((line) => line.monitor === 'orders')?.error).toMatch(
    /writes|read-only/u,
  );
  expect(await hidden.sql('select from pg_largeobject_metadata')).toEqual([]);
});

const followed = () =>
  open({
    steps:
      `${BACKUP + DATA + MIGRATE}  - { step: switch, switch: release }\n  - { step: restart, restart: ` +
      `[web] }\n`,
    environment: 'afterwards: { every: 7d, monitors: [site, orders] }',
    pace: undefined,
    monitors: MONITORS.replace(
      /\}$/u,
      ', unread: { read: { http: { get: /unread } }, metrics: { failures: { objective: exactly 0 } } } }',
    ),
  });
const look = (
  hands: Hands,
  number = 0,
  before: AfterwardsMemory = { since: {}, counters: {} },
  workflowId = afterwardsWorkflowId(hands.rollout.deployment, 'here'),
) =>
  hands.call<AfterwardsResult>('checkAfterwards', { rollout: hands.rollout, number, before }, { workflowId });

test(
  'S1-52: a look reads what its plan names, long after the rollout was closed, and leaves the sealed ' +
    'evidence alone',
  async () => {
    const hands = await followed();
    expect(await failureOf(look(hands)), 'the rollout is still open').toMatchObject({
      code: 'NOT_PERMITTED',
    });
    await hands.run('switch');
    await hands.world.permitStore.close(hands.rollout, 'passed');
    const evidence = await hands.world.artifacts.path(`evidence/${hands.rollout.deployment}`);
    const sealed = await readdir(evidence, { recursive: true });
    const first = await look(hands);
    expect(first).toMatchObject({
      is: 'read',
      troubles: [],
      metrics: expect.arrayContaining(['site/failures: 0', 'orders/total: 50']),
    });
    expect(first.metrics.join()).not.toContain('unread');
    site.status = 500;
    const second = await look(hands, 1, first.memory);
    site.status = 200;
    expect(second.troubles, 'three answers in a row were asked for').toEqual([
      expect.stringContaining('site/failures is 1'),
    ]);
    expect(await readdir(evidence, { recursive: true })).toEqual(sealed);
    const kept = await hands.world.artifacts.read(`afterwards/${hands.rollout.deployment}/here.jsonl`);
    expect(
      kept
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { number: number }).number),
    ).toEqual([0, 1]);
  },
);

test(
  'a look is held while a rollout is open, superseded by another release or a later deployment, and is ' +
    'for post-deployment checks alone',
  async () => {
    const hands = await followed();
    await hands.run('switch');
    await hands.world.permitStore.close(hands.rollout, 'passed');
    expect(await failureOf(look(hands, 0, undefined, `rollout/${hands.list.service}/here`))).toMatchObject({
      code: 'NOT_PERMITTED',
    });
    const other = { ...hands.rollout, deployment: 'later', hash: 'f00df00df0' };
    await hands.world.permitStore.keepRollout({ rollout: other, permit: {} as never, list: hands.list });
    expect(await look(hands)).toMatchObject({ is: 'held', why: 'later is changing it now' });
    await hands.world.permitStore.close(other, 'restored');
    expect(await look(hands), 'it rolled back to what is looked at').toMatchObject({ is: 'read' });
    const later = { ...other, deployment: 'still-later', hash: 'f00df00df1' };
    await hands.world.permitStore.keepRollout({ rollout: later, permit: {} as never, list: hands.list });
    await hands.world.permitStore.close(later, 'passed');
    expect(await look(hands, 1)).toMatchObject({
      is: 'superseded',
      why: 'a later deployment has passed here',
    });
    await symlink('releases/0ddc0de', join(hands.root, 'next'));
    await rename(join(hands.root, 'next'), join(hands.root, 'current'));
    expect(await look(hands, 1)).toMatchObject({
      is: 'superseded',
      why: expect.stringMatching(/^0ddc0de serves now/u),
    });
  },
);

test.each(['restored', 'stuck', 'failed'])('what ended %s is not looked at', async (outcome) => {
  const hands = await followed();
  await hands.world.permitStore.close(hands.rollout, outcome);
  expect(await failureOf(look(hands))).toMatchObject({ code: 'NOT_PERMITTED' });
});
