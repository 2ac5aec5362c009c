// Between the gate and the first step: the window is waited for, and what happens meanwhile leads back to the
// gate.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EnvironmentSettings } from '../../src/io/settings.ts';
import { storyPlan } from '../support/story-plan.ts';
import { HOUR, openTheatre, type Run, type Theatre, timeSkippingServer } from '../support/theatre.ts';

let theatre: Theatre;
beforeAll(async () => {
  if (timeSkippingServer) theatre = await openTheatre();
});
afterAll(() => theatre?.close());

/** Open by the environment's own clock, whatever a test says. */
const plan = storyPlan({ window: '"* * * * *"' });
const standing = {
  stands: (environment: string, _: number, passed: boolean) => environment === 'staging' && passed,
};
const shut = { open: false, waitMs: 30 * HOUR, why: 'the window opens Sun 2026-01-11 02:00 Europe/Berlin' };
const WAITS = 'production: the window opens Sun 2026-01-11 02:00 Europe/Berlin';

async function approved(
  mayEnter: (environment: string) => { open: boolean; waitMs: number | null; why: string },
  more = {},
  text = plan,
): Promise<Run> {
  const run = await theatre.run(text, { ...standing, ...more, mayEnter });
  await run.until(
    'the gate waits',
    (progress) => progress.waitingFor?.startsWith('the gate of production') === true,
  );
  await run.stands();
  await run.send('approve', 'lea', 'production');
  await run.send('approve', 'dan', 'production');
  return run;
}
const entered = (run: Run) => run.part.calls.filter((call) => call === 'production openRollout').length;

describe.runIf(timeSkippingServer)('a window', () => {
  test('that is not open is waited for, and shown with its next opening; then it is entered', async () => {
    const answers = [shut, { open: true, waitMs: 0, why: '' }];
    const run = await approved(() => answers.shift()!);
    expect(
      (await run.until('waits for the window', ({ waitingFor }) => waitingFor === WAITS)).next,
    ).toBeNull();
    expect(entered(run)).toBe(0);
    // No time is skipped while staging is observed: paused, its activity is over.
    await run.send('pause', 'dan', 'staging');
    await run.until('paused', ({ waitingFor }) => waitingFor === 'resume', 'staging');
    await theatre.env.sleep(31 * HOUR);
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
    expect(entered(run)).toBe(1);
    expect(run.part.calls.filter((call) => call.endsWith('before deploying'))).toEqual([
      'production before deploying',
      'production before deploying',
    ]);
  });

  test('told that it is open, the environment asks its own clock and refuses', async () => {
    const run = await approved(
      () => ({ open: true, waitMs: 0, why: '' }),
      {},
      storyPlan({ window: '0 0 29 2 *' }),
    );
    expect(await run.result()).toMatchObject({
      outcome: 'failed',
      reason: expect.stringContaining('OUTSIDE_WINDOW: the window opens Tue 2028-02-29'),
    });
    expect(run.part.calls).not.toContain('production preflight');
  });

  test('nobody can say when: it waits until something changes, and an abort ends it', async () => {
    const run = await approved(() => ({ open: false, waitMs: null, why: 'notice has not been given' }));
    await run.until('waits', ({ waitingFor }) => waitingFor === 'production: notice has not been given');
    await run.send('abort', 'dan', 'production');
    expect(await run.result()).toMatchObject({ outcome: 'failed' });
    expect(entered(run)).toBe(0);
  });

  test('a breach while it is waited for voids what was signed: the gate asks again', async () => {
    let broken = false;
    const run = await approved(() => shut, {
      reads: (_: string, id: string) => (id === 'shop/paid' && broken ? 0.5 : undefined),
      stands: (environment: string, _: number, passed: boolean) =>
        environment === 'staging' && passed && !broken,
    });
    await run.until('waits for the window', ({ waitingFor }) => waitingFor === WAITS);
    broken = true;
    run.release();
    await run.until('a decision', ({ waitingFor }) => waitingFor?.startsWith('staging: a decision') === true);
    expect(await run.gateReport('production')).toBeNull();
    await run.send('decide', 'lea', 'staging', { decision: 'downgrade' });
    expect(await run.result()).toMatchObject({ outcome: 'rolled-back' });
    expect(entered(run)).toBe(0);
  });
});

describe.runIf(timeSkippingServer)(
  'the environment before is aborted while its successor’s gate waits',
  () => {
    test('the gate report is void at once, nobody approves it, and nothing is entered while it is stuck', async () => {
      const run = await theatre.run(storyPlan(), {
        ...standing,
        compare: (times) => ({
          equal: times > 1,
          differences: times > 1 ? [] : ['orders 1'],
          writtenSince: [],
          summary: 'compared',
        }),
      });
      await run.until(
        'the gate waits',
        ({ waitingFor }) => waitingFor?.startsWith('the gate of production') === true,
      );
      await run.stands();
      expect(await run.gateReport('production')).not.toBeNull();
      await run.send('abort', 'dan', 'staging');
      await run.until('it is stuck', ({ phase }) => phase === 'stuck', 'staging');
      expect(await run.gateReport('production')).toBeNull();
      expect((await run.progress()).lines[0]).toMatchObject({
        state: 'running',
        summary: expect.stringContaining('its soak no longer counts: abort by dan'),
      });
      expect(await run.send('approve', 'dan', 'production')).toMatchObject({ accepted: false });
      await run.send('decide', 'dan', 'staging', { decision: 'retry' });
      expect(await run.result()).toMatchObject({ outcome: 'rolled-back' });
      expect(entered(run)).toBe(0);
    });
  },
);

describe.runIf(timeSkippingServer)(
  'somebody who is taken out of the environment’s file in the very moment of entry',
  () => {
    test('is dropped, and the gate asks again; then it is entered, once, and completes', async () => {
      let people: EnvironmentSettings['people'] | null = null;
      const run = await theatre.run(storyPlan(), {
        ...standing,
        opens: (settings) => {
          if (settings.environment !== 'production' || people) return;
          people = settings.people;
          Object.assign(settings, { people: people.filter(({ name }) => name !== 'dan') });
          back = () => void Object.assign(settings, { people });
        },
      });
      await run.until(
        'the gate waits',
        ({ waitingFor }) => waitingFor?.startsWith('the gate of production') === true,
      );
      await run.stands();
      await run.send('approve', 'lea', 'production');
      await run.send('approve', 'dan', 'production');
      const again = await run.until(
        'it asks again',
        ({ waitingFor, notes }) =>
          waitingFor?.includes('approval by dba') === true &&
          notes.some((note) => note.includes('asks again')),
      );
      expect(again.refusals.map(({ person, why }) => `${person}: ${why}`)).toEqual([
        expect.stringContaining('dan: no longer counted: production knows no person dan'),
      ]);
      expect(run.part.calls).not.toContain('production preflight');
      back();
      expect(await run.send('approve', 'dan', 'production')).toMatchObject({ accepted: true });
      expect(await run.result()).toMatchObject({ outcome: 'completed' });
      expect(entered(run)).toBe(2);
    });
  },
);

let back: () => void = () => undefined;
