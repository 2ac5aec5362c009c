// At the gate: who counts, what voids, and the endings that come from there.
import { WorkflowNotFoundError } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ShownProgress } from '../../src/client/shown-progress.ts';
import { expectStory } from '../support/stories.ts';
import type { Script } from '../support/stand-ins.ts';
import { storyPlan } from '../support/story-plan.ts';
import { DAY, openTheatre, type Run, type Theatre, timeSkippingServer } from '../support/theatre.ts';

let theatre: Theatre;
beforeAll(async () => {
  if (timeSkippingServer) theatre = await openTheatre();
});
afterAll(() => theatre?.close());

const waits = (progress: ShownProgress) => progress.waitingFor?.startsWith('the gate of production') === true;
/** Staging stands still once it has soaked; nothing is recorded by chance. */
const standing: Script = {
  stands: (environment: string, _: number, passed: boolean) => environment === 'staging' && passed,
};
const atGate = async (script = standing): Promise<Run> => {
  const run = await theatre.run(storyPlan(), script);
  await run.until('the gate waits', waits);
  if (script.stands) await run.stands();
  return run;
};

describe.runIf(timeSkippingServer)('at the gate', () => {
  test('rejected: production is never entered, staging stays as it is', async () => {
    const run = await atGate();
    expect(await run.send('reject', 'dan', 'production', { reason: 'not this week' })).toEqual({
      accepted: true,
      text: 'rejected',
    });
    expect(await run.result()).toMatchObject({
      outcome: 'rejected',
      reason: 'rejected by dan: not this week',
      environments: [{ environment: 'staging', outcome: 'passed' }],
    });
    expect(run.part.calls.filter((call) => call.startsWith('production') || call.includes('undo'))).toEqual(
      [],
    );
    await expectStory('rejected', run, ['staging']);
  });

  test('nobody opens it in time: expired, counted from sealing and not from the last approval', async () => {
    const run = await atGate();
    // No time is skipped while staging is observed: paused, its activity is over.
    await run.send('pause', 'dan', 'staging');
    await run.until('paused', (progress) => progress.waitingFor === 'resume', 'staging');
    await theatre.env.sleep(5 * DAY);
    expect(await run.send('approve', 'lea', 'production')).toMatchObject({ accepted: true });
    await theatre.env.sleep(3 * DAY);
    expect(await run.result()).toMatchObject({
      outcome: 'expired',
      reason: 'nobody opened the gate in time',
    });
    await expectStory('expired', run, ['staging']);
  });

  test('a message that waits for one environment delays none to another', async () => {
    const run = await atGate();
    const down = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    theatre.breakVerify(
      run.name,
      (environment) => environment === 'production' && (asked.resolve(), down.promise),
    );
    const approval = run.send('approve', 'lea', 'production');
    await asked.promise;
    expect(await run.send('abort', 'dan', 'staging')).toEqual({ accepted: true, text: 'rolling back' });
    down.resolve();
    // What it approves rests on the soak that is aborted meanwhile: whichever was first.
    expect((await approval).text).toMatch(/counted|another gate report/u);
    expect(await run.result()).toMatchObject({ outcome: 'rolled-back' });
  });

  test("the requester's approval is refused though she has the role, and opens nothing", async () => {
    const run = await atGate();
    expect(await run.send('approve', 'ann', 'production')).toEqual({
      accepted: false,
      text: 'refused: ann requested this deployment and cannot approve it',
    });
    expect(await run.send('approve', 'dan', 'production')).toEqual({
      accepted: true,
      text: 'counted, 1 of 2',
    });
    await run.until(
      'the gate has counted',
      (progress) => progress.waitingFor === 'the gate of production: approval by lead',
    );
    await run.send('reject', 'lea', 'production');
    await run.result();
    await expectStory('requester-refused', run, ['staging']);
  });

  test('one message that comes by update and by signal counts once and is verified once', async () => {
    const run = await atGate();
    const signed = await run.sign('approve', 'lea', 'production');
    const handle = theatre.env.client.workflow.getHandle(run.workflowId);
    await handle.signal('approve', signed);
    expect(await run.deliver(signed)).toEqual({ accepted: true, text: 'counted, 1 of 2' });
    await handle.signal('approve', signed);
    expect(await run.send('approve', 'lea', 'production')).toEqual({
      accepted: true,
      text: 'counted, 1 of 2',
    });
    await run.send('reject', 'dan', 'production');
    await run.result();
    const history = await handle.fetchHistory();
    const verified = history.events?.filter(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'verify',
    );
    expect(verified, 'two approvals of lea, one rejection').toHaveLength(3);
  });

  test(
    'a message of another shape is refused before it is in the history; a forged one is refused and ' +
      'recorded',
    async () => {
      const run = await atGate();
      const signed = await run.sign('approve', 'dan', 'production');
      await expect(
        run.deliver({ ...signed, body: { ...signed.body, nonce: 'another', expires: '' } }),
      ).rejects.toThrow();
      expect(await run.deliver({ ...signed, person: 'lea' })).toEqual({
        accepted: false,
        text: 'refused: the signature does not match the public key',
      });
      expect((await run.progress()).refusals).toEqual([
        {
          message: 'approve',
          person: 'lea',
          environment: 'production',
          why: 'refused: the signature does not match the public key',
        },
      ]);
      await run.send('reject', 'dan', 'production');
      await run.result();
    },
  );

  test('aborted while people decide: staging rolls back, production is never entered', async () => {
    const run = await atGate();
    await run.send('approve', 'lea', 'production');
    expect(await run.send('abort', 'dan', 'staging')).toEqual({ accepted: true, text: 'rolling back' });
    expect(await run.result()).toMatchObject({
      outcome: 'rolled-back',
      reason: 'abort by dan',
      environments: [{ outcome: 'restored' }],
    });
    expect(run.part.calls.filter((call) => call.startsWith('production'))).toEqual([]);
    await expectStory('aborted-at-the-gate', run, ['staging']);
  });

  test(
    'a breach after the soak has passed voids gate report and approvals; only a new gate report can be ' +
      'approved',
    async () => {
      const low = { on: false };
      const run = await theatre.run(storyPlan(), {
        ...standing,
        reads: (environment, id) =>
          environment === 'staging' && id === 'shop/paid' && low.on ? 0.5 : undefined,
      });
      await run.until('the gate waits', waits);
      await run.send('approve', 'lea', 'production');
      const old = await run.sign('approve', 'dan', 'production');
      low.on = true;
      run.release();
      await run.until(
        'asked',
        (progress) => progress.waitingFor?.includes('continue | downgrade') === true,
        'staging',
      );
      expect(await run.gateReport('production')).toBeNull();
      expect(await run.deliver(old)).toEqual({
        accepted: false,
        text: 'refused: no gate report is sealed yet',
      });
      low.on = false;
      await run.send('decide', 'dan', 'staging', { decision: 'continue' });
      await run.until(
        'a second gate report',
        (progress) => waits(progress) && !progress.waitingFor?.includes('sealed facts'),
      );
      expect((await run.gateReport('production'))?.gateReport.number).toBe(2);
      const { waitingFor } = await run.progress();
      expect(waitingFor, "lea's approval of the old one is void").toBe(
        'the gate of production: approval by lead and dba',
      );
      const again = await run.sign('approve', 'dan', 'production', {
        gateReport: String(old.body['gateReport']),
      });
      expect(await run.deliver(again)).toMatchObject({
        accepted: false,
        text: expect.stringContaining('another gate report'),
      });
      await run.send('approve', 'dan', 'production');
      await run.send('approve', 'lea', 'production');
      expect(await run.result()).toMatchObject({ outcome: 'completed' });
      await expectStory('voided-gateReport', run, ['staging', 'production']);
    },
  );

  test(
    'a breach after the gate has opened, before the first change: the permit is void and production ' +
      'stops',
    async () => {
      const low = { on: false };
      const run = await theatre.run(storyPlan(), {
        stands: standing.stands,
        reads: (environment, id) =>
          environment === 'staging' && id === 'site/failures' && low.on ? 5 : undefined,
        steps: {
          backup: async (_, { rollout }) => {
            if (rollout.environment !== 'production') return {};
            low.on = true;
            for (let at = 0; at < 4; at += 1) run.release();
            while (!run.part.calls.includes('staging closed: restored'))
              await new Promise((resolve) => setTimeout(resolve, 20));
            return {};
          },
        },
      });
      await run.until('the gate waits', waits);
      await run.stands();
      await run.send('approve', 'lea', 'production');
      await run.send('approve', 'dan', 'production');
      await run.until('production backs up', () => run.part.calls.includes('production backup'));
      for (let at = 0; at < 3; at += 1) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        run.release();
      }
      expect(await run.result()).toMatchObject({
        outcome: 'rolled-back',
        environments: [
          { environment: 'staging', outcome: 'restored' },
          { environment: 'production', outcome: 'failed' },
        ],
      });
      expect(
        run.part.calls.filter((call) => call === 'production migrate' || call === 'production data: fix'),
      ).toEqual([]);
    },
  );

  test(
    'an approval for an environment that the plan does not have, and one too many hands, are answered ' +
      'in words',
    async () => {
      const run = await atGate();
      expect(await run.send('pause', 'dan', 'production')).toEqual({
        accepted: false,
        text: 'refused: no rollout is open in production',
      });
      expect(await run.send('decide', 'dan', 'staging', { decision: 'continue' })).toEqual({
        accepted: false,
        text: 'refused: nothing is asked now',
      });
      expect(await run.send('abort', 'dan', 'production')).toEqual({ accepted: true, text: 'aborted' });
      expect(await run.result()).toMatchObject({
        outcome: 'failed',
        reason: 'aborted by dan',
        environments: [{ outcome: 'passed' }],
      });
      await expect(run.send('abort', 'dan', 'staging')).rejects.toThrow(WorkflowNotFoundError);
    },
  );
});
