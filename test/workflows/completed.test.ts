// Runs that end well: the whole seven days, both environments, the gate between them.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectStory } from '../support/stories.ts';
import { storyPlan } from '../support/story-plan.ts';
import { openTheatre, type Theatre, timeSkippingServer } from '../support/theatre.ts';

let theatre: Theatre;
beforeAll(async () => {
  if (timeSkippingServer) theatre = await openTheatre();
});
afterAll(() => theatre?.close());

describe.runIf(timeSkippingServer)('a deployment that ends well', () => {
  test('seven days of soak, two approvals, production and its watch: completed', async () => {
    const run = await theatre.run(storyPlan(), {
      stands: (environment, _, passed) => environment === 'staging' && passed,
    });
    await run.until(
      'the gate waits',
      (progress) => progress.waitingFor?.startsWith('the gate of production') === true,
    );
    await run.stands();
    expect(await run.send('approve', 'lea', 'production')).toEqual({
      accepted: true,
      text: 'counted, 1 of 2',
    });
    expect(await run.send('approve', 'dan', 'production')).toEqual({
      accepted: true,
      text: 'counted, 2 of 2',
    });
    expect(await run.result()).toMatchObject({
      outcome: 'completed',
      environments: [
        { environment: 'staging', outcome: 'passed' },
        { environment: 'production', outcome: 'passed' },
      ],
    });
    expect(run.part.calls.filter((call) => call.includes('undo'))).toEqual([]);
    await expectStory('completed', run, ['staging', 'production']);
    const { events } = await theatre.env.client.workflow.getHandle(run.workflowId).fetchHistory();
    const order = (events ?? []).flatMap((event) => {
      if (event.childWorkflowExecutionCompletedEventAttributes) return 'a rollout has ended';
      return event.activityTaskScheduledEventAttributes?.activityType?.name === 'closeEvidence'
        ? 'the evidence is closed'
        : [];
    });
    expect(order).toEqual(['a rollout has ended', 'a rollout has ended', 'the evidence is closed']);
  });

  test(
    'a week read every minute stays a small history: at most 1,100 events and 0.5 MB, without ' +
      'continue-as-new',
    async () => {
      const run = await theatre.run(
        storyPlan({ only: 'staging', soak: 'for: 7d, every: 1m, gap: at most 5m' }),
      );
      expect(await run.result()).toMatchObject({ outcome: 'completed' });
      const history = await theatre.env.client.workflow.getHandle(run.rolloutId('staging')).fetchHistory();
      const events = history.events ?? [];
      const first = events.findIndex(
        (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'observe',
      );
      const sizes = events.flatMap(
        (event) => Number(event.workflowTaskStartedEventAttributes?.historySizeBytes ?? 0) || [],
      );
      const soak = { events: events.length - first, bytes: sizes.at(-1)! };
      console.log(
        `a week of soak at one metric a minute: ${soak.events} events, ${soak.bytes} bytes with the ` +
          `steps before it, ${run.part.counts.get('staging observe')} slices`,
      );
      expect(soak.events).toBeLessThanOrEqual(1_100);
      expect(soak.bytes).toBeLessThanOrEqual(500_000);
    },
  );
});
