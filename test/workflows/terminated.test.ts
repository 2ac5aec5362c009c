// A termination, of which only a real server tells parents and children.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { afterwardsWorkflowId } from '../../src/core/names.ts';
import { storyPlan } from '../support/story-plan.ts';
import { devServer, HOUR, openTheatre, type Theatre } from '../support/theatre.ts';

let theatre: Theatre;
beforeAll(async () => {
  if (devServer) theatre = await openTheatre({ real: true });
});
afterAll(() => theatre?.close());

const only = storyPlan({ only: 'staging' });
const standing = { stands: (_: string, since: number) => since === 10 * HOUR };

describe.runIf(devServer)('terminated from outside', () => {
  test('a rollout that is terminated: its deployment says so, names the command and waits; messages to it are answered', async () => {
    const run = await theatre.run(only, standing);
    await run.until('it soaks', () => run.part.clocks.get('staging')! - Date.UTC(2026, 0, 5) === 10 * HOUR);
    await theatre.env.client.workflow.getHandle(run.rolloutId('staging')).terminate('by hand');
    const progress = await run.until(
      'it says so',
      ({ waitingFor }) =>
        waitingFor?.startsWith('recovery: the rollout in staging was ended from outside') === true,
    );
    expect(progress.next).toBe(`soakgate recover ${run.name}`);
    expect(await run.send('abort', 'dan', 'staging')).toEqual({
      accepted: false,
      text: `refused: the rollout in staging was ended from outside; soakgate recover ${run.name}`,
    });
    expect((await theatre.env.client.workflow.getHandle(run.workflowId).describe()).status.name).toBe(
      'RUNNING',
    );
    await theatre.env.client.workflow.getHandle(run.workflowId).terminate('end of test');
  });

  test('a post-deployment checks is not ended with its deployment', async () => {
    const run = await theatre.run(storyPlan({ only: 'staging', afterwards: 'every: 7d' }));
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
    const handle = theatre.env.client.workflow.getHandle(afterwardsWorkflowId(run.name, 'staging'));
    await new Promise((wake) => setTimeout(wake, 500));
    expect((await handle.describe()).status.name).toBe('RUNNING');
    await handle.terminate('end of test');
  });

  test('a deployment that is terminated is undone by its rollout, which closes the evidence itself', async () => {
    const run = await theatre.run(only, standing);
    await run.until('it soaks', () => run.part.clocks.get('staging')! - Date.UTC(2026, 0, 5) === 10 * HOUR);
    await theatre.env.client.workflow.getHandle(run.workflowId).terminate('by hand');
    expect(await run.rolloutResult('staging')).toMatchObject({ outcome: 'restored', differences: [] });
    expect(run.part.calls.at(-1)).toBe('evidence: restored, staging restored');
  });
});
