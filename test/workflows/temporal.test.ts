// What Temporal itself can do to a run: cancel, terminate; two at once; and nothing that lives in modules.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ApplicationFailure } from '@temporalio/common';
import { expectStory } from '../support/stories.ts';
import { storyPlan } from '../support/story-plan.ts';
import { HOUR, openTheatre, type Theatre, timeSkippingServer } from '../support/theatre.ts';

let theatre: Theatre;
beforeAll(async () => {
  if (timeSkippingServer) theatre = await openTheatre();
});
afterAll(() => theatre?.close());

const only = storyPlan({ only: 'staging' });
const standing = { stands: (_: string, since: number) => since === 10 * HOUR };

describe.runIf(timeSkippingServer)('Temporal from outside', () => {
  test('a deployment that is cancelled is undone and says that nobody signed it', async () => {
    const run = await theatre.run(only, standing);
    await run.until('it soaks', () => run.part.clocks.get('staging')! - Date.UTC(2026, 0, 5) === 10 * HOUR);
    await theatre.env.client.workflow.getHandle(run.workflowId).cancel();
    expect(await run.result()).toMatchObject({
      outcome: 'rolled-back',
      reason: 'cancelled in Temporal: an unsigned abort',
    });
    expect(run.part.calls.filter((call) => call.includes('undo'))).toEqual([
      'staging undo migrate',
      'staging undo switch',
      'staging undo restart',
    ]);
    await expectStory('cancelled', run, ['staging']);
  });

  test('a rollout that is cancelled alone is undone; its deployment ends rolled-back', async () => {
    const run = await theatre.run(only, standing);
    await run.until('it soaks', () => run.part.clocks.get('staging')! - Date.UTC(2026, 0, 5) === 10 * HOUR);
    await theatre.env.client.workflow.getHandle(run.rolloutId('staging')).cancel();
    expect(await run.result()).toMatchObject({
      outcome: 'rolled-back',
      reason: expect.stringContaining('unsigned abort'),
    });
  });

  test('a message that cannot be verified is answered, and the next one is taken', async () => {
    const run = await theatre.run(only, { ...standing, steps: {} });
    await run.until('it soaks', () => run.part.clocks.get('staging')! - Date.UTC(2026, 0, 5) === 10 * HOUR);
    theatre.breakVerify(run.name, () => {
      throw ApplicationFailure.nonRetryable('the keys cannot be read', 'STEP_CRASHED');
    });
    expect(await run.send('pause', 'dan', 'staging')).toEqual({
      accepted: false,
      text: 'refused: the keys cannot be read',
    });
    theatre.breakVerify(run.name, null);
    expect(await run.send('checkNow', 'dan', 'staging')).toMatchObject({ accepted: true });
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
  });

  test('two deployments side by side share nothing: one rolls back, the other completes', async () => {
    const [bad, good] = await Promise.all([
      theatre.run(only, { reads: (_, id) => (id === 'site/failures' ? 9 : undefined) }),
      theatre.run(only),
    ]);
    expect(await bad.result()).toMatchObject({ outcome: 'rolled-back' });
    expect(await good.result()).toMatchObject({ outcome: 'completed' });
    expect((await good.progress('staging')).notes.join()).not.toContain('alert');
  });

  test(
    'a second deployment of the same service is refused while the first is open, and the first is not ' +
      'touched',
    async () => {
      const first = await theatre.run(only, standing);
      await first.until(
        'it soaks',
        () => first.part.clocks.get('staging')! - Date.UTC(2026, 0, 5) === 10 * HOUR,
      );
      const second = await theatre.run(only, {}, { service: first.name });
      expect(await second.result()).toMatchObject({
        outcome: 'failed',
        reason: expect.stringContaining('another rollout'),
      });
      first.release();
      expect(await first.result()).toMatchObject({ outcome: 'completed' });
    },
  );
});
