// What a review has found to end a run, or to undo what had passed: each as it was found.
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answerAll, nothingFailed } from '../support/people.ts';
import { storyPlan } from '../support/story-plan.ts';
import { devServer, HOUR, openTheatre, type Theatre } from '../support/theatre.ts';

let theatre: Theatre;
beforeAll(async () => {
  if (devServer) theatre = await openTheatre({ real: true });
});
afterAll(() => theatre?.close());

const only = storyPlan({ only: 'staging' });
const timing = { retryMs: 5 };
describe.runIf(devServer)('an observation that fails for good', () => {
  test(
    'its worker was restarted without its secret: people are asked, and once it is mended the soak ' +
      'goes on',
    async () => {
      let gone = true;
      const run = await theatre.run(
        only,
        {
          fails: (name, call) =>
            name === 'observe' && call > 3 && gone ? { final: 'SECRET_MISSING' } : null,
        },
        { timing },
      );
      const { waitingFor, next, health } = await run.until(
        'asked',
        ({ waiting }) => waiting[0]?.kind === 'decision',
        'staging',
      );
      expect(waitingFor).toMatch(
        /^a decision \(retry \| stop \| downgrade\) about reading the monitors in staging failed: SECRET_MISSING/u,
      );
      expect([next, health]).toEqual([`soakgate decide ${run.name} staging retry`, 'troubled']);
      gone = false;
      await run.send('decide', 'dan', 'staging', { decision: 'retry' });
      expect(await run.result()).toMatchObject({ outcome: 'completed' });
      await nothingFailed(theatre, run, ['staging']);
    },
  );

  test('its worker dies and an abort comes before anybody has noticed: it is undone', async () => {
    const run = await theatre.run(
      only,
      { stands: (_, since) => since === 10 * HOUR },
      { timing: { ...timing, observeHeartbeatMs: 1_500 } },
    );
    await run.until('soaks', ({ phase }) => phase === 'soak', 'staging');
    await run.stands();
    // The worker is gone: nobody beats, nobody takes the cancellation.
    run.part.deaf = true;
    expect(await run.send('abort', 'dan', 'staging')).toMatchObject({ accepted: true });
    expect(await run.result()).toMatchObject({ outcome: 'rolled-back', reason: 'staging: abort by dan' });
    expect(run.part.calls).toContain('staging undo migrate');
    await nothingFailed(theatre, run, ['staging']);
  });
});

test.runIf(devServer)(
  'the check before deploying fails for good: it says why, asks again, and the environment before it ' +
    'stays as it is',
  async () => {
    let broken = true;
    const run = await theatre.run(
      storyPlan({ window: '"* * * * *"' }),
      {
        stands: (environment, _, passed) => environment === 'staging' && passed,
        mayEnter: () => {
          if (!broken) return { open: true, waitMs: 0, why: '' };
          const text = 'STEP_CRASHED: EACCES: permission denied, open used/notices';
          throw ApplicationFailure.nonRetryable(text, 'STEP_CRASHED');
        },
      },
      { timing: { retryMs: 100 } },
    );
    await run.until('the gate', ({ waiting }) => waiting[0]?.kind === 'gate');
    for (const person of ['lea', 'dan'] as const) await run.send('approve', person, 'production');
    const { waitingFor } = await run.until('it says why', ({ waiting }) => waiting[0]?.kind === 'failing');
    expect(waitingFor).toBe(
      'production: the check before deploying (failed, retrying): STEP_CRASHED: EACCES: permission ' +
        'denied, open used/notices',
    );
    expect(run.part.calls.filter((call) => call.includes('undo'))).toEqual([]);
    broken = false;
    await answerAll(theatre, run);
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
  },
);

test.runIf(devServer)(
  'the evidence cannot be closed: it says why and is closed as soon as it can be',
  async () => {
    let full = true;
    const run = await theatre.run(
      only,
      { fails: (name) => (name === 'closeEvidence' && full ? { final: 'STEP_CRASHED' } : null) },
      { timing: { retryMs: 50 } },
    );
    const { waitingFor } = await run.until('it says why', ({ waiting }) => waiting[0]?.kind === 'failing');
    expect(waitingFor).toMatch(/^close the evidence \(failed, retrying\): STEP_CRASHED/u);
    full = false;
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
  },
);

test.runIf(devServer)(
  'a permit that a broken worker cannot open is asked about; one that is refused ends the rollout',
  async () => {
    const crashed = await theatre.run(
      only,
      { fails: (name, call) => (name === 'openRollout' && call === 1 ? 'final' : null) },
      { timing },
    );
    await crashed.until('asked', ({ waiting }) => waiting[0]?.kind === 'decision', 'staging');
    await crashed.send('decide', 'dan', 'staging', { decision: 'retry' });
    expect(await crashed.result()).toMatchObject({ outcome: 'completed' });
    const refused = await theatre.run(
      only,
      { fails: (name) => (name === 'openRollout' ? { final: 'PERMIT_REFUSED' } : null) },
      { timing },
    );
    expect(await refused.result()).toMatchObject({
      outcome: 'failed',
      reason: expect.stringContaining('not deployed: PERMIT_REFUSED'),
    });
  },
);
