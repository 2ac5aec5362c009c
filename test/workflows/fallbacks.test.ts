// The ways other than step by step: a forward fix that goes on, a restore that people sign for, a fallback
// after a fallback.
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Signed } from '../../src/core/messages.ts';
import { storyPlan } from '../support/story-plan.ts';
import { DAY, openTheatre, type Run, type Theatre, timeSkippingServer } from '../support/theatre.ts';

let theatre: Theatre;
beforeAll(async () => {
  if (timeSkippingServer) theatre = await openTheatre();
});
afterAll(() => theatre?.close());

const plan = storyPlan({
  only: 'staging',
  fallbacks:
    '  relax: { forward: 0003_relax }\n  restore: { approved: { roles: [dba] }, loses: ' +
    'writes-since-backup }\n',
  matrix: `  - { when: { monitor: shop }, ask: [continue, relax, restore, downgrade], severity: high }
  - { when: { step: refused }, ask: [relax, restore, downgrade], severity: high }
  - { when: { fallback: relax }, ask: [downgrade], severity: high }
  - { when: { fallback: downgrade }, ask: [restore], severity: critical }
`,
});
const failing = () => ({ verdict: 'fail' as const, summary: 'the write was not refused' });
const refusedFails = { steps: { refused: failing } };
const asked = (run: Run, options: string) =>
  run.until(
    `asked: ${options}`,
    (progress) => progress.waitingFor?.startsWith(`a decision (${options})`) === true,
    'staging',
  );
const decide = (run: Run, who: 'lea' | 'dan', decision: string) =>
  run.send('decide', who, 'staging', { decision });
const back = (run: Run) =>
  run.part.calls
    .filter((call) => / (undo|restore|undoForward|forward|compare)\b/u.test(call))
    .map((call) => call.replace('staging ', ''));

describe.runIf(timeSkippingServer)('a forward fix', () => {
  test(
    'on day three: one migration more, then the soak starts again and passes; the fallback stands in ' +
      'the evidence',
    async () => {
      let fixed = false;
      const times: number[] = [];
      const run = await theatre.run(plan, {
        reads: (_, id, since) => {
          if (id === 'shop/paid') times.push(since);
          return id === 'shop/paid' && since >= 3 * DAY && !fixed ? 0.5 : undefined;
        },
        steps: { 'forward relax': () => ((fixed = true), { summary: 'applied' }) },
      });
      await asked(run, 'continue | relax | restore | downgrade');
      const breached = times.length;
      expect(await decide(run, 'lea', 'relax')).toMatchObject({ accepted: true });
      expect(await run.result()).toMatchObject({ outcome: 'completed' });
      expect(back(run)).toEqual(['forward relax']);
      // Read once an hour, and counted from nothing.
      const again = times.indexOf(0, breached);
      expect(again - breached, 'one more while they were asked').toBeLessThanOrEqual(1);
      expect(times.length - again).toBeGreaterThanOrEqual(7 * 24);
      expect((await run.rolloutResult('staging')).receipts.at(-1)).toMatchObject({
        kind: 'forwardFix',
        step: 'migrate: relax',
        verdict: 'pass',
      });
    },
  );

  test('instead of a step that failed: the next step comes; a later rollback reverses the fix first', async () => {
    const run = await theatre.run(plan, { steps: { refused: failing, restart: failing } });
    await asked(run, 'relax | restore | downgrade');
    await decide(run, 'dan', 'relax');
    expect(await run.result()).toMatchObject({ outcome: 'rolled-back' });
    expect(back(run)).toEqual([
      'forward relax',
      'undoForward migrate',
      'undo migrate',
      'undo switch',
      'undo restart',
      'compare',
    ]);
  });

  test(
    'and another one after it: the rollback reverses both, the later first, and each once though it is ' +
      'tried again',
    async () => {
      const two = storyPlan({
        only: 'staging',
        fallbacks: '  relax: { forward: 0003_relax }\n  drop: { forward: 0004_drop }\n',
        matrix: `  - { when: { step: refused }, ask: [relax, downgrade], severity: high }
  - { when: { step: switch }, ask: [drop, downgrade], severity: high }
`,
      });
      const undone: unknown[] = [];
      let tries = 0;
      const run = await theatre.run(two, {
        steps: { refused: failing, switch: failing, restart: failing },
        undos: {
          undoForward: (_, { args }) => (undone.push(args?.['fallback']), {}),
          migrate: () => ((tries += 1) === 1 ? { done: false, differences: ['a lock'] } : {}),
        },
      });
      await asked(run, 'relax | downgrade');
      await decide(run, 'lea', 'relax');
      await asked(run, 'drop | downgrade');
      await decide(run, 'lea', 'drop');
      await run.until(
        'stuck',
        ({ phase, waitingFor }) => phase === 'stuck' && waitingFor !== null,
        'staging',
      );
      await decide(run, 'lea', 'retry');
      expect(await run.result()).toMatchObject({ outcome: 'rolled-back' });
      expect(undone).toEqual(['drop', 'relax']);
      expect(back(run).filter((call) => call === 'undo migrate')).toHaveLength(2);
    },
  );

  test.each([
    ['fails', () => ({ verdict: 'fail' as const, summary: 'changes nothing' })],
    [
      'throws',
      () => {
        throw ApplicationFailure.nonRetryable('MIGRATION_FAILED: no', 'MIGRATION_FAILED');
      },
    ],
  ])('that %s: the matrix says what comes after it, and its undo was registered', async (_, how) => {
    const run = await theatre.run(plan, { steps: { refused: failing, 'forward relax': how } });
    await asked(run, 'relax | restore | downgrade');
    await decide(run, 'lea', 'relax');
    await asked(run, 'downgrade');
    await decide(run, 'lea', 'downgrade');
    expect(await run.result()).toMatchObject({ outcome: 'rolled-back' });
    expect(back(run).slice(0, 3)).toEqual(['forward relax', 'undoForward migrate', 'undo migrate']);
  });
});

describe.runIf(timeSkippingServer)('what a rollback shuts', () => {
  const shutting = storyPlan({ only: 'staging' }).replace(
    '    soak: {',
    '    rollback: { stop: [web] }\n    soak: {',
  );

  test('is opened behind it; where it stops half-way the person who is asked is told that it is shut', async () => {
    let tries = 0;
    const run = await theatre.run(shutting, {
      steps: { restart: failing },
      undos: {
        stopServices: () => ({ summary: 'web: pid 5 ended' }),
        migrate: () => ((tries += 1) === 1 ? { done: false, differences: ['a lock'] } : {}),
      },
    });
    const stuck = await run.until(
      'stuck',
      ({ phase, waitingFor }) => phase === 'stuck' && waitingFor !== null,
      'staging',
    );
    expect(stuck.notes).toContain(
      'differences remain: services that the rollback stopped are still down (web); the ' +
        'rollback starts them when it completes',
    );
    await decide(run, 'lea', 'retry');
    expect(await run.result()).toMatchObject({ outcome: 'rolled-back' });
    const calls = run.part.calls
      .map((call) => call.replace('staging ', ''))
      .filter((call) => /^(?:stop|start|undo|compare)/u.test(call));
    expect(calls).toEqual([
      'stopServices migrate',
      'undo migrate',
      'undo migrate',
      'undo switch',
      'undo restart',
      'compare',
    ]);
  });

  test('stays shut when people leave it, and the outcome says so', async () => {
    const run = await theatre.run(shutting, {
      steps: { restart: failing },
      undos: { migrate: () => ({ done: false, differences: ['a lock'] }) },
    });
    await run.until('stuck', ({ phase, waitingFor }) => phase === 'stuck' && waitingFor !== null, 'staging');
    await decide(run, 'lea', 'leave-as-is');
    expect(await run.rolloutResult('staging')).toMatchObject({
      outcome: 'stuck',
      differences: ['a lock', expect.stringContaining('still down')],
    });
  });
});

describe.runIf(timeSkippingServer)('a restore', () => {
  const waitsForDba = (run: Run) =>
    run.until(
      'approval',
      (progress) => progress.waitingFor?.startsWith('approval of restore by dba') === true,
      'staging',
    );

  test(
    'needs the role that the fallback names: chosen by a lead, it waits for a dba; it replaces the ' +
      'undos of data and schema',
    async () => {
      const signed: (readonly Signed[] | undefined)[] = [];
      const run = await theatre.run(plan, {
        ...refusedFails,
        undos: { restore: (_, { approvals }) => (signed.push(approvals), {}) },
      });
      await asked(run, 'relax | restore | downgrade');
      await decide(run, 'lea', 'restore');
      await waitsForDba(run);
      expect(await decide(run, 'lea', 'restore')).toMatchObject({ accepted: true });
      await waitsForDba(run);
      await decide(run, 'dan', 'restore');
      expect(await run.result()).toMatchObject({ outcome: 'rolled-back' });
      expect(back(run)).toEqual(['restore backup', 'compare']);
      expect(signed[0]?.map(({ person }) => person)).toContain('dan');
    },
  );

  test('chosen by who may approve it, nobody is asked twice; the code rolls back after it', async () => {
    const run = await theatre.run(plan, { steps: { restart: failing }, reads: () => undefined });
    await run.result();
    const soaking = await theatre.run(plan, {
      reads: (_, id, since) => (id === 'shop/paid' && since >= DAY ? 0.5 : undefined),
    });
    await asked(soaking, 'continue | relax | restore | downgrade');
    await decide(soaking, 'dan', 'restore');
    expect(await soaking.result()).toMatchObject({ outcome: 'rolled-back' });
    expect(back(soaking)).toEqual(['restore backup', 'undo switch', 'undo restart', 'compare']);
  });

  test('what it would lose is counted for whoever asks, once a minute; not for another deployment', async () => {
    const run = await theatre.run(plan, refusedFails);
    await asked(run, 'relax | restore | downgrade');
    const losses = (deployment: string) =>
      theatre.env.client.workflow
        .getHandle(run.rolloutId('staging'))
        .executeUpdate<string, [string]>('losses', { args: [deployment] });
    const counts = () => run.part.calls.filter((call) => call.endsWith('count newer')).length;
    const before = counts();
    const answers = await Promise.all([losses(run.name), losses(run.name)]);
    expect(answers).toEqual(Array(2).fill('3 rows written since the backup (public.orders 3)'));
    expect(counts() - before).toBe(1);
    await expect(losses('another')).rejects.toThrow();
    await theatre.env.sleep('61 s');
    await losses(run.name);
    expect(counts() - before).toBe(2);
    await decide(run, 'lea', 'downgrade');
    await run.result();
  });

  test('not signed for: `stop` undoes step by step instead', async () => {
    const run = await theatre.run(plan, refusedFails);
    await asked(run, 'relax | restore | downgrade');
    await decide(run, 'lea', 'restore');
    await waitsForDba(run);
    await decide(run, 'lea', 'stop');
    expect(await run.result()).toMatchObject({ outcome: 'rolled-back' });
    expect(back(run)).toEqual(['undo migrate', 'compare']);
  });

  test('after a downgrade that left something: offered because the matrix says so, and then it is restored', async () => {
    const differences = ['index orders_idx was left behind'];
    const run = await theatre.run(plan, {
      ...refusedFails,
      compare: (times) =>
        times === 1
          ? { equal: false, differences, writtenSince: [], summary: '1' }
          : { equal: true, differences: [], writtenSince: [], summary: 'ok' },
    });
    await asked(run, 'relax | restore | downgrade');
    await decide(run, 'lea', 'downgrade');
    await run.until(
      'stuck',
      (progress) => progress.phase === 'stuck' && progress.waitingFor !== null,
      'staging',
    );
    expect(await decide(run, 'dan', 'relax')).toEqual({
      accepted: false,
      text: 'refused: the question is retry | restore | leave-as-is',
    });
    await decide(run, 'dan', 'restore');
    expect(await run.result()).toMatchObject({ outcome: 'rolled-back' });
    expect(back(run)).toEqual(['undo migrate', 'compare', 'restore backup', 'compare']);
  });

  test('asked for by message; a word that is no rollback of the plan is refused', async () => {
    const run = await theatre.run(plan, { stands: () => true });
    await run.stands();
    const rollback = (fallback: string) => run.send('rollback', 'dan', 'staging', { fallback });
    expect(await rollback('relax')).toEqual({
      accepted: false,
      text: 'refused: relax is no rollback of this plan (there is: downgrade, restore)',
    });
    expect(await rollback('restore')).toMatchObject({ accepted: true });
    expect(await run.result()).toMatchObject({ outcome: 'rolled-back' });
    expect(back(run)).toEqual(['restore backup', 'undo switch', 'undo restart', 'compare']);
  });
});
