// An environment that somebody else's run holds: status names the holder and the command that frees it, and the
// deployment then goes on; what may have changed something is not ended by it.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rolloutWorkflowId } from '../../src/core/ids.ts';
import { gatedPlan, type Play, raisePlay } from './play.ts';

const ENVIRONMENT = 'held';
const ID = rolloutWorkflowId('orders', ENVIRONMENT);
let play: Play;
beforeAll(async () => {
  play = await raisePlay(ENVIRONMENT);
  await play.writePlan('soakgate.yaml', gatedPlan(ENVIRONMENT));
}, 180_000);
afterAll(() => play.stop());

/** A run of somebody who knows Temporal's address, on a queue that nobody serves: it never ends by itself. */
const hold = (...args: readonly unknown[]) =>
  play.stage.connected.client.workflow.start('rollout', {
    workflowId: ID,
    taskQueue: 'nobody',
    args: [...args],
  });
const start = (name: string) =>
  play.soakgate([
    'start',
    'soakgate.yaml',
    '--as',
    'ann',
    '--repository',
    play.stage.repository,
    '--name',
    name,
  ]);
const status = async (name: string) => {
  const { out } = await play.soakgate(['status', name, '-o', 'json']);
  return JSON.parse(out) as { state: string; environments: { heldBy: object | null; state: string }[] };
};
const until = async (name: string, seen: (now: Awaited<ReturnType<typeof status>>) => boolean) => {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline;) {
    const now = await status(name);
    if (seen(now)) return now;
    await new Promise((wake) => setTimeout(wake, 300));
  }
  throw new Error(`${name}: ${JSON.stringify(await status(name))}`);
};
const openGate = async (name: string) => {
  await play.soakgate(['attest', name, ENVIRONMENT, 'tried', '--as', 'lea', '--yes']);
  const { code, err } = await play.soakgate(['approve', name, ENVIRONMENT, '--as', 'dan', '--yes']);
  expect(code, err).toBe(0);
};

test.each<[string, readonly unknown[], RegExp]>([
  ['names nothing', [], /held is held by a run that names no deployment/u],
  ['has another shape', [{ run: 7 }], /names no deployment/u],
  [
    'names a deployment that nobody started',
    [{ run: { rollout: { deployment: 'ghost' } } }],
    /a rollout of ghost, which nobody has started/u,
  ],
])(
  'a run that %s is named, and ended by the command that status prints',
  async (_what, args, sentence) => {
    const name = `waits-${args.length}-${JSON.stringify(args).length}`;
    expect((await start(name)).code).toBe(0);
    const held = await hold(...args);
    const { out } = await play.soakgate(['status', name]);
    expect(out).toMatch(sentence);
    expect(out).toContain(`soakgate release orders ${ENVIRONMENT}`);
    const unasked = await play.soakgate(['release', 'orders', ENVIRONMENT]);
    expect([unasked.code, (await held.describe()).status.name]).toEqual([2, 'RUNNING']);
    const released = await play.soakgate(['release', 'orders', ENVIRONMENT, '--yes']);
    expect([released.code, released.out]).toEqual([0, expect.stringContaining(held.firstExecutionRunId)]);
    expect((await held.describe()).status.name).toBe('TERMINATED');
    expect((await status(name)).environments[0]!.heldBy).toBeNull();
    const again = await play.soakgate(['release', 'orders', ENVIRONMENT, '--yes']);
    expect([again.code, again.err]).toEqual([6, expect.stringContaining('nothing is there to release')]);
    await play.soakgate(['reject', name, ENVIRONMENT, '--as', 'lea', '--yes']);
  },
  120_000,
);

test('who was kept out says by whom after it has failed; released, the next one goes on, and is not released', async () => {
  const held = await hold({ run: { rollout: { deployment: 'ghost' } } });
  expect((await start('kept-out')).code).toBe(0);
  await openGate('kept-out');
  await until('kept-out', ({ state }) => state === 'completed');
  const { out } = await play.soakgate(['status', 'kept-out']);
  expect(out).toMatch(/kept-out: failed: .*another rollout of orders is open in held/u);
  expect(out).toContain(`next: soakgate release orders ${ENVIRONMENT}`);
  expect((await play.soakgate(['release', 'orders', ENVIRONMENT, '--yes'])).code).toBe(0);
  expect((await held.describe()).status.name).toBe('TERMINATED');

  expect((await start('goes-on')).code).toBe(0);
  await openGate('goes-on');
  await until('goes-on', ({ environments }) => environments[0]!.state === 'running');
  const { code, err } = await play.soakgate(['release', 'orders', ENVIRONMENT, '--yes']);
  expect([code, err]).toEqual([
    6,
    expect.stringContaining('held is held by a rollout of goes-on, which runs'),
  ]);
  expect(err).toContain('soakgate status goes-on');
  // Its deployment is gone: it is recovered, because its permit is good.
  await play.stage.connected.client.workflow.getHandle('deployment/goes-on').terminate('by hand');
  const orphan = await play.soakgate(['release', 'orders', ENVIRONMENT, '--yes']);
  expect(orphan.err).toContain('soakgate recover goes-on --as YOU');
  expect((await play.soakgate(['recover', 'goes-on', '--as', 'lea'])).code).toBe(3);
}, 180_000);
