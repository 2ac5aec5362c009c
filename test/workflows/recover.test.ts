// soakgate recover on a real server: a rollout that was terminated, one that has failed, one that never
// began.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connected } from '../../src/client/connection.ts';
import { recover } from '../../src/client/recover.ts';
import { openStatus } from '../../src/client/status.ts';
import { whatNext } from '../../src/cli/render/status.ts';
import type { Script } from '../support/stand-ins.ts';
import { storyPlan } from '../support/story-plan.ts';
import { devServer, HOUR, openTheatre, type Run, type Theatre } from '../support/theatre.ts';
import { NEVER_BEGINS, POISON, withFaultyWorkflows } from '../support/faulty-workflows.ts';

let theatre: Theatre;
let connected: Connected;
beforeAll(async () => {
  if (!devServer) return;
  theatre = await withFaultyWorkflows(() => openTheatre({ real: true }));
  const { client } = theatre.env;
  connected = { client, namespace: 'default', close: async () => undefined } as unknown as Connected;
});
afterAll(() => theatre?.close());

const only = storyPlan({ only: 'staging' });
const standing: Script = { stands: (_, since) => since === 10 * HOUR };
const workflow = (id: string) => theatre.env.client.workflow.getHandle(id);
const recovered = async (run: Run) => {
  const said: string[] = [];
  const results = await recover(connected, run.name, 'dan', theatre.keyOf('dan'), (text) => said.push(text));
  return { said, outcomes: results.map(({ result }) => result.outcome) };
};
const next = async (run: Run) => whatNext(await (await openStatus(connected, run.name)).read()).next;
const recoverIt = (run: Run) => `soakgate recover ${run.name} --as YOU`;
const soaking = async (): Promise<Run> => {
  const run = await theatre.run(only, standing);
  await run.until('soaks', ({ phase }) => phase === 'soak', 'staging');
  await run.stands();
  return run;
};
const endedOutside = (run: Run) =>
  run.until('ended outside', ({ waiting }) => waiting[0]?.kind === 'ended-outside');

describe.runIf(devServer)('recover', () => {
  test('a terminated rollout is undone, and its deployment ends with it', async () => {
    const run = await soaking();
    await workflow(run.rolloutId('staging')).terminate('by hand');
    await endedOutside(run);
    expect(await next(run)).toBe(recoverIt(run));
    expect(await recovered(run)).toMatchObject({ outcomes: ['restored'] });
    expect(await run.result()).toMatchObject({ outcome: 'rolled-back' });
  });

  test('also after somebody has tried another start, which was refused', async () => {
    const service = 'tried-again';
    const run = await theatre.run(only, standing, { service });
    await run.until('it soaks', () => run.part.clocks.get('staging')! - Date.UTC(2026, 0, 5) === 10 * HOUR);
    await theatre.env.client.workflow.getHandle(run.rolloutId('staging')).terminate('by hand');
    const other = await theatre.run(only, standing, { service });
    expect(await other.result()).toMatchObject({
      outcome: 'failed',
      reason: expect.stringContaining(`soakgate recover ${run.name}`),
    });
    const [recovered] = await recover(connected, run.name, 'dan', theatre.keyOf('dan'), () => undefined);
    expect(recovered?.result.outcome).toBe('restored');
    expect(await run.result()).toMatchObject({ outcome: 'rolled-back' });
  });

  test('a rollout that has failed is reset to before what failed it, which is not sent again', async () => {
    const run = await soaking();
    const before = await workflow(run.rolloutId('staging')).describe();
    await workflow(run.rolloutId('staging')).signal(POISON);
    await endedOutside(run);
    expect((await workflow(run.rolloutId('staging')).describe()).status.name).toBe('FAILED');
    expect(await next(run)).toBe(recoverIt(run));
    expect(await recovered(run)).toMatchObject({ outcomes: ['restored'] });
    expect((await workflow(run.rolloutId('staging')).describe()).runId).not.toBe(before.runId);
    expect(run.part.calls.filter((call) => call.includes(' undo '))).toContain('staging undo migrate');
    expect(await run.result()).toMatchObject({ outcome: 'rolled-back' });
    expect(await next(run)).not.toBe(recoverIt(run));
    await expect(recovered(run)).rejects.toThrow(/was terminated or has failed/u);
  });

  test(
    'a rollout that never began: nothing was done, the deployment is told and closes; recover is not ' +
      'asked for again',
    async () => {
      const run = await neverBegun();
      expect(await next(run)).toBe(recoverIt(run));
      expect(await recovered(run)).toEqual({
        said: [
          'staging: resetting the rollout',
          'staging: the rollout ended before its first task; nothing was done there',
        ],
        outcomes: ['failed'],
      });
      expect(await run.result()).toMatchObject({ outcome: 'failed' });
      expect(run.part.calls).toEqual(['evidence: failed, staging failed']);
      expect(await next(run)).not.toBe(recoverIt(run));
    },
  );

  test('and when its deployment was terminated as well, status asks for nothing', async () => {
    const run = await neverBegun();
    await workflow(run.workflowId).terminate('by hand');
    expect(await next(run)).toBeNull();
    expect(await recovered(run)).toMatchObject({ outcomes: ['failed'] });
  });
});

/** A rollout whose first task no worker has completed: its worker fails every one until it is terminated. */
async function neverBegun(): Promise<Run> {
  const run = await theatre.run(only, standing, { name: `${NEVER_BEGINS}-${Date.now()}` });
  const id = run.rolloutId('staging');
  const begins = async () =>
    (await workflow(id)
      .describe()
      .catch(() => null)) !== null;
  for (const deadline = Date.now() + 60_000; !(await begins());) {
    if (Date.now() > deadline) throw new Error('no rollout was started');
    await new Promise((wake) => setTimeout(wake, 20));
  }
  await workflow(id).terminate('by hand');
  await endedOutside(run);
  return run;
}
