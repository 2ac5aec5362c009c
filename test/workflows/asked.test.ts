// While people are asked about a metric the monitors go on. On a real server: a question is answered in the
// midst of an observation.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Script } from '../support/stand-ins.ts';
import { expectStory } from '../support/stories.ts';
import { storyPlan } from '../support/story-plan.ts';
import { DAY, devServer, HOUR, openTheatre, type Run, type Theatre } from '../support/theatre.ts';

let theatre: Theatre;
beforeAll(async () => {
  if (devServer) theatre = await openTheatre({ real: true });
});
afterAll(() => theatre?.close());

const only = storyPlan({ only: 'staging' });
/** Paid is low from the second day on; more is wrong an hour later. */
const low = (more: Script['reads'] = () => undefined): Script => ({
  goesOn: true,
  reads: (environment, id, since) =>
    id === 'shop/paid' && since >= DAY ? 0.5 : since >= DAY + HOUR ? more(environment, id, since) : undefined,
});
const asked = (run: Run, about: string) =>
  run.until(`asked about ${about}`, ({ waitingFor }) => waitingFor?.includes(about) === true, 'staging');
const undone = (run: Run) => run.part.calls.filter((call) => call.includes(' undo '));

describe.runIf(devServer)('while people are asked', () => {
  test('a question that nobody answers takes its default when its time is over', async () => {
    const run = await theatre.run(only.replace('after: 4h', 'after: 2s'), {
      reads: (_, id, since) => (id === 'shop/paid' && since >= DAY ? 0.5 : undefined),
    });
    await asked(run, 'continue | downgrade');
    expect(await run.result()).toMatchObject({
      outcome: 'rolled-back',
      reason: expect.stringContaining('decided: downgrade'),
    });
    await expectStory('unanswered', run, ['staging']);
  });

  test('what the matrix answers by itself does not wait for them: the question is withdrawn', async () => {
    const run = await theatre.run(
      only,
      low((_, id) => (id === 'site/failures' ? 1 : undefined)),
    );
    expect(await run.result()).toMatchObject({
      outcome: 'rolled-back',
      reason: expect.stringContaining('site/failures is 1'),
    });
    const { notes, waitingFor } = await run.progress('staging');
    expect(notes).toContain('the question was withdrawn: the matrix answers this by itself');
    expect(waitingFor).toBeNull();
    expect(undone(run)).toContain('staging undo migrate');
    expect(await run.progress()).toMatchObject({ waitingFor: null });
  });

  test('what it asks about, too, waits for its turn, and is asked though it was over by then', async () => {
    const plan = only.replace(
      'monitor: site/failures }, do: downgrade',
      'monitor: site/failures }, ask: [continue, downgrade]',
    );
    const until = DAY + 8 * HOUR;
    const run = await theatre.run(
      plan,
      low((_, id, since) => (id === 'site/failures' && since < until ? 1 : undefined)),
    );
    await asked(run, 'shop/paid');
    await run.until(
      'it is over',
      () => run.part.clocks.get('staging')! - Date.UTC(2026, 0, 5) > until + HOUR,
    );
    expect((await run.progress('staging')).waitingFor).toContain('shop/paid');
    expect(await run.send('decide', 'dan', 'staging', { decision: 'continue' })).toMatchObject({
      accepted: true,
    });
    await asked(run, 'site/failures is 1');
    expect(await run.send('decide', 'lea', 'staging', { decision: 'downgrade' })).toMatchObject({
      accepted: true,
    });
    expect(await run.result()).toMatchObject({
      outcome: 'rolled-back',
      reason: expect.stringContaining('site/failures'),
    });
  });

  test('what came of the schema before a forward fix is not asked about after it', async () => {
    const plan = storyPlan({
      only: 'staging',
      fallbacks: '  relax: { forward: 0003_relax }\n',
      matrix:
        '  - { when: { monitor: site }, ask: [continue, downgrade] }\n  - { when: { monitor: shop }, ' +
        'ask: [continue, relax] }\n',
    })
      .replace(/ {2}- \{ when: \{ monitor: site\/failures \}.*\n/u, '')
      .replace(/ {2}- \{ when: \{ monitor: shop\/paid \}.*\n/u, '');
    let fixed = false;
    const run = await theatre.run(plan, {
      goesOn: true,
      reads: (_, id, since) =>
        fixed || since < DAY ? undefined : id === 'shop/paid' ? 0.5 : Number(since > DAY + HOUR),
      steps: { 'forward relax': () => ((fixed = true), { summary: 'applied' }) },
    });
    await asked(run, 'shop/paid');
    await run.until(
      'the other one came',
      ({ metrics }) => metrics.some((line) => /^site\/failures: .* 0 … 1/u.test(line)),
      'staging',
    );
    await new Promise((wake) => setTimeout(wake, 300));
    expect(await run.send('decide', 'lea', 'staging', { decision: 'relax' })).toMatchObject({
      accepted: true,
    });
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
  });

  test(
    'of two at once it answers the one that is not asked about first, though it lasts for one metric ' +
      'only',
    async () => {
      const plan = only
        .replace(
          'monitor: site/failures }, do: downgrade',
          'monitor: site/failures }, ask: [continue, downgrade]',
        )
        .replace(
          'monitor: shop/paid }, ask: [continue, downgrade], unanswered: { after: 4h, do: downgrade }',
          'monitor: shop/paid }, do: downgrade',
        );
      const both = DAY + 2 * HOUR;
      const run = await theatre.run(plan, {
        goesOn: true,
        reads: (_, id, since) =>
          id === 'site/failures' ? Number(since >= DAY) : since === both ? 0.5 : undefined,
      });
      expect(await run.result()).toMatchObject({
        outcome: 'rolled-back',
        reason: expect.stringContaining('shop/paid is 0.5'),
      });
    },
  );

  test('what comes while an extension is asked for is asked about right after it', async () => {
    const silent = 6 * DAY;
    const run = await theatre.run(
      only.replace(
        'monitor: site/failures }, do: downgrade',
        'monitor: site/failures }, ask: [continue, downgrade]',
      ),
      {
        goesOn: true,
        // What is observed after the question stands: nobody is asked by it.
        stands: (_, since) => since > 9 * DAY,
        reads: (_, id, since) => {
          if (id === 'shop/paid') return since > silent && since < 8 * DAY ? null : undefined;
          return Number(since > 7 * DAY + 12 * HOUR && since < 8 * DAY);
        },
      },
    );
    await asked(run, 'the soak is over');
    await run.until(
      'it was bad, and is over',
      () => run.part.clocks.get('staging')! - Date.UTC(2026, 0, 5) > 9 * DAY,
    );
    expect((await run.progress('staging')).waitingFor).toContain('the soak is over');
    expect(await run.send('decide', 'lea', 'staging', { decision: 'extend' })).toMatchObject({
      accepted: true,
    });
    await asked(run, 'site/failures is 1');
    expect(await run.send('abort', 'dan', 'staging')).toMatchObject({ accepted: true });
    expect(await run.result()).toMatchObject({ outcome: 'rolled-back' });
  });

  test('no verdict on the soak meanwhile, however long they take; an abort ends the question', async () => {
    const run = await theatre.run(only, low());
    await asked(run, 'shop/paid');
    await run.until(
      'its seven days are over',
      () => run.part.clocks.get('staging')! - Date.UTC(2026, 0, 5) > 9 * DAY,
    );
    expect((await run.progress('staging')).waitingFor).toContain('shop/paid');
    expect(await run.send('abort', 'dan', 'staging')).toMatchObject({ accepted: true });
    expect(await run.result()).toMatchObject({
      outcome: 'rolled-back',
      reason: expect.stringContaining('abort by dan'),
    });
  });
});
