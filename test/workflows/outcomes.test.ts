// One run for each outcome that comes before a gate, and for each way to it.
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CancelledFailure } from '@temporalio/common';
import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { expectStory } from '../support/stories.ts';
import { storyPlan } from '../support/story-plan.ts';
import { openTheatre, DAY, type Theatre, timeSkippingServer } from '../support/theatre.ts';

let theatre: Theatre;
beforeAll(async () => {
  if (timeSkippingServer) theatre = await openTheatre();
});
afterAll(() => theatre?.close());

const only = storyPlan({ only: 'staging' });
const failing = (message: string) => () => {
  throw ApplicationFailure.nonRetryable(message, 'STEP_CRASHED');
};
/** A step that goes on until it is cancelled, as a command under way does. */
const endless = async () => {
  while (!cancellationSignal().aborted) {
    heartbeat();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new CancelledFailure('cancelled');
};

describe.runIf(timeSkippingServer)('before the gate', () => {
  test('a failing look before any database change: stopped, nothing undone, failed', async () => {
    const run = await theatre.run(only, {
      steps: { backup: () => ({ verdict: 'fail', summary: 'the dump is short' }) },
    });
    expect(await run.result()).toMatchObject({ outcome: 'failed', environments: [{ outcome: 'failed' }] });
    expect(run.part.calls.filter((call) => call.includes('undo'))).toEqual([]);
    expect(run.part.calls.at(-2)).toBe('staging closed: failed');
    await expectStory('failed', run, ['staging']);
  });

  test('a migration that fails: what was begun is undone, the fix as well, and compared', async () => {
    const run = await theatre.run(only, {
      steps: { migrate: failing('MIGRATION_FAILED: a row violates it') },
    });
    expect(await run.result()).toMatchObject({ outcome: 'rolled-back' });
    expect(run.part.calls.slice(-5)).toEqual([
      'staging undo migrate',
      'staging undo data: fix',
      'staging compare',
      'staging closed: restored',
      'evidence: rolled-back, staging restored',
    ]);
    await expectStory('migration-failed', run, ['staging']);
  });

  test('an alert on day three: downgrade by the new code, then the old code, then its restart; restored', async () => {
    const run = await theatre.run(only, {
      reads: (_, id, since) => (id === 'site/failures' && since >= 3 * DAY ? 4 : undefined),
    });
    expect(await run.result()).toMatchObject({
      outcome: 'rolled-back',
      reason: expect.stringContaining('site/failures'),
    });
    expect(run.part.calls.filter((call) => call.includes('undo'))).toEqual([
      'staging undo migrate',
      'staging undo switch',
      'staging undo restart',
    ]);
    await expectStory('rolled-back', run, ['staging']);
  });

  test('an abort while a step is under way: the step has ended before its undo begins', async () => {
    const ended: string[] = [];
    const run = await theatre.run(only, {
      steps: { migrate: () => endless().finally(() => ended.push('migrate ended')) },
      undos: { migrate: () => (ended.push('undo begins'), {}) },
    });
    await run.until(
      'migrate runs',
      (progress) => progress.lines.some((line) => line.name === 'migrate' && line.state === 'running'),
      'staging',
    );
    expect(await run.send('abort', 'dan', 'staging', { reason: 'wrong night' })).toEqual({
      accepted: true,
      text: 'rolling back',
    });
    expect(await run.result()).toMatchObject({
      outcome: 'rolled-back',
      reason: 'staging: abort by dan: wrong night',
    });
    expect(ended).toEqual(['migrate ended', 'undo begins']);
    await expectStory('aborted', run, ['staging']);
  });

  test(
    'an abort that comes while the last harmless step finishes: the migration is not registered, so ' +
      'nothing is undone',
    async () => {
      const run = await theatre.run(only, {
        steps: { preview: () => endless().catch(() => ({ figures: { rehearsed: 'up-down-up' } })) },
      });
      await run.until(
        'preview runs',
        (progress) => progress.lines.some((line) => line.name === 'preview' && line.state === 'running'),
        'staging',
      );
      await run.send('abort', 'dan', 'staging');
      await run.result();
      expect(run.part.calls.filter((call) => call.endsWith(' migrate'))).toEqual([]);
    },
  );

  test(
    'an undo that fails waits for a person; `leave-as-is` ends it stuck, and its rollout is closed as ' +
      'that',
    async () => {
      const run = await theatre.run(only, {
        steps: { migrate: () => ({ verdict: 'fail', summary: 'half applied' }) },
        undos: { migrate: failing('DOWNGRADE_FAILED: the lock was not given') },
      });
      await run.until(
        'stuck',
        (progress) => progress.phase === 'stuck' && progress.waitingFor !== null,
        'staging',
      );
      expect(await run.send('decide', 'lea', 'staging', { decision: 'continue' })).toEqual({
        accepted: false,
        text: 'refused: the question is retry | leave-as-is',
      });
      expect(await run.send('decide', 'lea', 'staging', { decision: 'leave-as-is' })).toEqual({
        accepted: true,
        text: 'decided: leave-as-is',
      });
      expect(await run.result()).toMatchObject({
        outcome: 'stuck',
        reason: expect.stringContaining('the lock was not given'),
      });
      expect(run.part.calls.filter((call) => call.includes('closed'))).toEqual(['staging closed: stuck']);
      expect(run.part.calls).not.toContain('staging compare');
      await expectStory('stuck', run, ['staging']);
    },
  );

  test('what people or the plan let pass is named in every outcome, and nothing says that it passed', async () => {
    const run = await theatre.run(
      storyPlan({
        only: 'staging',
        matrix:
          '  - { when: { step: restart }, ask: [continue, stop] }\n' +
          '  - { when: { step: refused }, do: continue }\n',
      }),
      {
        steps: {
          restart: () => ({ verdict: 'fail', summary: 'it is slow' }),
          refused: () => ({ verdict: 'fail', summary: 'not asked' }),
        },
      },
    );
    await run.until('asked', ({ waitingFor }) => waitingFor?.includes('continue | stop') === true, 'staging');
    await run.send('decide', 'dan', 'staging', { decision: 'continue' });
    const result = await run.result();
    expect(result).toMatchObject({
      outcome: 'completed',
      environments: [
        {
          accepted: [
            {
              about: 'refused: not asked',
              how: expect.stringMatching(/^the plan: .*refused.*continue/u),
            },
            { about: 'restart: it is slow', how: 'continued by dan' },
          ],
        },
      ],
    });
    expect(result.reason).toContain('with 2 problems accepted: staging: refused: not asked (the plan:');
    const { reason } = await run.rolloutResult('staging');
    expect(reason).toContain('restart: it is slow (continued by dan)');
    expect(reason).not.toContain('every step passed');
  });

  test('`retry` after a failed undo runs only what is still open, and ends restored', async () => {
    const run = await theatre.run(only, {
      steps: { refused: () => ({ verdict: 'fail', summary: 'the write was not refused' }) },
      undos: {
        switch: () => ({}),
        migrate: (times) =>
          times === 1 ? { done: false, summary: 'not yet', differences: ['constraint a'] } : {},
      },
    });
    await run.until(
      'stuck',
      (progress) => progress.phase === 'stuck' && progress.waitingFor !== null,
      'staging',
    );
    await run.send('decide', 'lea', 'staging', { decision: 'retry' });
    expect(await run.result()).toMatchObject({ outcome: 'rolled-back' });
    expect(run.part.calls.filter((call) => call.includes('undo'))).toEqual([
      'staging undo migrate',
      'staging undo migrate',
    ]);
    const progress = await run.progress('staging');
    expect(progress).toMatchObject({ phase: 'restored', waitingFor: null });
    await expectStory('stuck-then-restored', run, ['staging']);
  });

  test('a comparison that finds three rows left behind is stuck, not restored', async () => {
    const differences = ['orders 1', 'orders 2', 'orders 3'];
    const run = await theatre.run(only, {
      steps: { refused: () => ({ verdict: 'fail' }) },
      compare: () => ({ equal: false, differences, writtenSince: [], summary: '3 rows differ' }),
    });
    await run.until(
      'stuck',
      (progress) => progress.phase === 'stuck' && progress.waitingFor !== null,
      'staging',
    );
    await run.send('decide', 'dan', 'staging', { decision: 'leave-as-is' });
    expect(await run.result()).toMatchObject({
      outcome: 'stuck',
      reason: 'staging: orders 1; orders 2; orders 3',
    });
  });

  test('rows that people must decide about are asked; `fixed-manually` looks again', async () => {
    const run = await theatre.run(only, {
      steps: {
        'data: again': (times) =>
          times === 1
            ? { verdict: 'fail', summary: '2 rows', figures: { people: 2, none: 0 } }
            : { figures: { people: 0, none: 0 } },
      },
      stands: () => true,
    });
    await run.until(
      'asked',
      (progress) => progress.waitingFor?.startsWith('a decision (fixed-manually | stop)') === true,
      'staging',
    );
    expect((await run.progress()).waitingFor).toContain('staging: a decision (fixed-manually | stop)');
    await run.send('decide', 'dan', 'staging', { decision: 'fixed-manually' });
    await run.stands();
    expect(run.part.calls.filter((call) => call === 'staging data: again')).toHaveLength(2);
    await run.send('abort', 'dan', 'staging');
    await run.result();
    await expectStory('people-decided', run, ['staging']);
  });

  test(
    'a question answered `continue` is not asked again while the alert lasts, and again when it comes ' +
      'back',
    async () => {
      const low = (since: number) => (since >= DAY && since < 2 * DAY) || since >= 3 * DAY;
      const run = await theatre.run(only, {
        reads: (_, id, since) => (id === 'shop/paid' && low(since) ? 0.5 : undefined),
      });
      const asked = () =>
        run.until(
          'asked',
          (progress) => progress.waitingFor?.includes('continue | downgrade') === true,
          'staging',
        );
      await asked();
      await run.send('decide', 'dan', 'staging', { decision: 'continue' });
      await run.until(
        'it goes on',
        (progress) => progress.notes.includes('decided about shop/paid is 0.5, alert below 90%: continue'),
        'staging',
      );
      await asked();
      expect(run.part.clocks.get('staging')! - Date.UTC(2026, 0, 5)).toBeGreaterThanOrEqual(3 * DAY);
      await run.send('decide', 'dan', 'staging', { decision: 'downgrade' });
      expect(await run.result()).toMatchObject({ outcome: 'rolled-back' });
    },
  );
});
