// What people do to a soak, and what a soak does by itself: early looks, pauses, extensions, silence, gaps.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectStory } from '../support/stories.ts';
import { storyPlan } from '../support/story-plan.ts';
import { DAY, HOUR, openTheatre, type Run, type Theatre, timeSkippingServer } from '../support/theatre.ts';

let theatre: Theatre;
beforeAll(async () => {
  if (timeSkippingServer) theatre = await openTheatre();
});
afterAll(() => theatre?.close());

const BEGIN = Date.UTC(2026, 0, 5);
const only = storyPlan({ only: 'staging' });
const slices = (run: Run) => run.part.calls.filter((call) => call === 'staging observe').length;
const sinceBegin = (run: Run) => run.part.clocks.get('staging')! - BEGIN;
const standsAt = (run: Run, ms: number) => run.until(`it stands at ${ms}`, () => sinceBegin(run) === ms);

describe.runIf(timeSkippingServer)('a soak', () => {
  test('checkNow ends a slice early and costs nothing: the soak goes on and passes', async () => {
    const run = await theatre.run(only, { stands: (_, since) => since === 10 * HOUR });
    await standsAt(run, 10 * HOUR);
    const before = slices(run);
    expect(await run.send('checkNow', 'dan', 'staging')).toEqual({ accepted: true, text: 'reading now' });
    await run.until('the next slice', () => slices(run) > before);
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
    expect(run.part.calls.filter((call) => call.includes('undo'))).toEqual([]);
  });

  test('pause stops the measuring, resume takes it up; a person without a role does neither', async () => {
    const run = await theatre.run(only, { stands: (_, since) => since === 10 * HOUR });
    await standsAt(run, 10 * HOUR);
    const before = slices(run);
    expect(await run.send('pause', 'dan', 'staging')).toEqual({
      accepted: true,
      text: 'paused before the next step',
    });
    await run.until('paused', (progress) => progress.waitingFor === 'resume', 'staging');
    // A slice of the stand-ins takes milliseconds, so that this is long.
    await new Promise((wake) => setTimeout(wake, 500));
    expect(slices(run)).toBe(before);
    expect(await run.send('resume', 'lea', 'staging')).toEqual({ accepted: true, text: 'resumed' });
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
    await expectStory('paused', run, ['staging']);
  });

  test('pause before a step keeps it from starting', async () => {
    const run = await theatre.run(only, {
      steps: {
        preview: async () =>
          (await run.send('pause', 'dan', 'staging')).accepted ? {} : { verdict: 'error' },
      },
    });
    await run.until('paused', (progress) => progress.waitingFor === 'resume', 'staging');
    expect(run.part.calls).not.toContain('staging migrate');
    await run.send('resume', 'dan', 'staging');
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
  });

  test('extendSoak lengthens it by what was signed', async () => {
    const run = await theatre.run(only, { stands: (_, since) => since === 10 * HOUR });
    await standsAt(run, 10 * HOUR);
    expect(await run.send('extendSoak', 'dan', 'staging', { byMs: 2 * DAY })).toEqual({
      accepted: true,
      text: 'extended',
    });
    run.release();
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
    expect(sinceBegin(run)).toBeGreaterThanOrEqual(9 * DAY);
    expect(sinceBegin(run)).toBeLessThan(9 * DAY + 2 * HOUR);
  });

  test('an extension that was sent twice in different words of one nonce counts once', async () => {
    const run = await theatre.run(only, { stands: (_, since) => since === 10 * HOUR });
    await standsAt(run, 10 * HOUR);
    const signed = await run.sign('extendSoak', 'dan', 'staging', { byMs: DAY });
    await run.deliver(signed);
    await theatre.env.client.workflow.getHandle(run.workflowId).signal('extendSoak', signed);
    await theatre.env.client.workflow
      .getHandle(run.rolloutId('staging'))
      .signal('command', { is: 'message', signed });
    await run.send('checkNow', 'dan', 'staging');
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
    expect(sinceBegin(run)).toBeLessThan(8 * DAY + 2 * HOUR);
  });

  test(
    'a monitor that is silent is inconclusive and never passes: people are asked, and cannot say ' +
      '"continue"',
    async () => {
      const run = await theatre.run(only, {
        reads: (_, id, since) => (id === 'shop/paid' && since > 2 * DAY ? null : undefined),
      });
      const asked = await run.until(
        'asked',
        (progress) => progress.waitingFor?.startsWith('a decision') === true,
        'staging',
      );
      expect(asked.waitingFor).toBe(
        'a decision (extend | stop | downgrade) about the soak is over, but it has not passed',
      );
      expect(await run.send('decide', 'lea', 'staging', { decision: 'continue' })).toMatchObject({
        accepted: false,
      });
      await run.send('decide', 'lea', 'staging', { decision: 'stop' });
      expect(await run.result()).toMatchObject({
        outcome: 'rolled-back',
        reason: expect.stringContaining('decided: stop'),
      });
      await expectStory('silent-monitor', run, ['staging']);
    },
  );

  test('a soak that people extend passes when its monitor speaks again, by so much later', async () => {
    const run = await theatre.run(only, {
      reads: (_, id, since) => (id === 'shop/paid' && since > 6 * DAY && since < 8 * DAY ? null : undefined),
    });
    await run.until(
      'asked',
      (progress) => progress.waitingFor?.startsWith('a decision (extend') === true,
      'staging',
    );
    await run.send('decide', 'lea', 'staging', { decision: 'extend' });
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
    expect(sinceBegin(run), 'seven days, seven more by decision, two of silence').toBeGreaterThanOrEqual(
      16 * DAY,
    );
  });

  test('an objective that is missed starts the clean days again', async () => {
    const plan = storyPlan({
      only: 'staging',
      soak: 'for: 7d, every: 1h, gap: at most 4h, clean-days: 3, extend: at most 3d',
    });
    const run = await theatre.run(plan, {
      reads: (_, id, since) => (id === 'shop/paid' && since === 6 * DAY ? 0.94 : undefined),
    });
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
    expect(sinceBegin(run)).toBeGreaterThanOrEqual(9 * DAY);
    expect(sinceBegin(run)).toBeLessThan(9 * DAY + 2 * HOUR);
  });
});
