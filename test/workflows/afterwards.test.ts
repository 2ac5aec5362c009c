// What outlives a deployment: looks without end, until people end them or another release serves; with time
// skipped over a year.
import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { type WorkflowHandle, WorkflowUpdateStage } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { afterwardsWorkflowId } from '../../src/core/ids.ts';
import type { Answer } from '../../workflows/messages.ts';
import { shownProgress } from '../../src/client/shown-progress.ts';
import type { Progress } from '../../workflows/progress.ts';
import type { Script } from '../support/stand-ins.ts';
import { storyPlan } from '../support/story-plan.ts';
import { type Name, openTheatre, type Theatre, timeSkippingServer } from '../support/theatre.ts';

let theatre: Theatre;
// One each: where an abandoned child outlives its parent, the test server skips no time for anybody
// afterwards.
beforeEach(async () => {
  if (timeSkippingServer) theatre = await openTheatre();
});
afterEach(() => theatre?.close());

/** A deployment that is over, and its post-deployment checks. */
async function followed(script: Script = {}) {
  const run = await theatre.run(
    storyPlan({ only: 'staging', afterwards: 'every: 7d, monitors: [shop]' }),
    script,
  );
  expect(await run.result()).toMatchObject({ outcome: 'completed' });
  const handle = theatre.env.client.workflow.getHandle(afterwardsWorkflowId(run.name, 'staging'));
  const looks = () => run.part.calls.filter((call) => call === 'staging checkAfterwards').length;
  const until = async (what: string, holds: () => Promise<boolean> | boolean) => {
    for (const deadline = Date.now() + 60_000; !(await holds());) {
      if (Date.now() > deadline) throw new Error(`${what}: not reached after ${looks()} looks`);
      await new Promise((wake) => setTimeout(wake, 15));
    }
  };
  const progress = () => handle.query<Progress>('progress').then(shownProgress);
  // The test server does not skip time that is asked for while an activity is under way.
  await until('the first look', async () => ((await progress().catch(() => null))?.notes.length ?? 0) > 0);
  const send = async (message: 'checkNow' | 'stopChecks', person: Name, environment = 'staging') => {
    const signed = await run.sign(message, person, environment);
    const update = await handle.startUpdate<Answer, [typeof signed]>(message, {
      args: [signed],
      waitForStage: WorkflowUpdateStage.ACCEPTED,
    });
    return update.result();
  };
  return { run, handle, looks, until, progress, send };
}

/** Time is skipped while a result is awaited; one more look of another release's time ends it. */
const superseded = (at: number, otherwise: NonNullable<Script['looks']> = () => ({})): Script => ({
  looks: (times) => (times === at ? { is: 'superseded', why: 'f00d serves now' } : otherwise(times)),
});

/** How long it waited between its looks, in days. */
async function pauses(handle: WorkflowHandle): Promise<readonly number[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap(({ timerStartedEventAttributes: timer }) =>
    timer ? [Number(timer.startToFireTimeout?.seconds) / 86_400] : [],
  );
}

describe.runIf(timeSkippingServer)('post-deployment checks', () => {
  test(
    'S1-52, T-70: it looks at once and then every week, when its deployment is long over, until ' +
      'another release serves',
    async () => {
      const { handle, looks } = await followed(superseded(5));
      expect(await handle.result()).toBe('superseded: f00d serves now');
      expect(looks()).toBe(5);
      expect(await pauses(handle)).toEqual([7, 7, 7, 7]);
    },
  );

  test('it goes on after a year, in a history that begins anew, and remembers', async () => {
    const { handle, looks } = await followed(
      superseded(60, (times) => ({ memory: { since: { shop: String(times) }, counters: {} } })),
    );
    const { runId } = await handle.describe();
    expect(await handle.result()).toBe('superseded: f00d serves now');
    expect(looks()).toBe(60);
    const now = await handle.describe();
    expect(now.runId).not.toBe(runId);
    expect(now.historyLength).toBeLessThan(200);
    const { events } = await handle.fetchHistory();
    const asked = (events ?? []).map(({ activityTaskScheduledEventAttributes: look }) =>
      String(look?.input?.payloads?.[0]?.data ?? ''),
    );
    expect(asked.find((input) => input !== '')).toContain('"number":51,"before":{"since":{"shop":"51"}');
  });

  test('what is wrong, and a look that could not be taken, are told; the next look comes all the same', async () => {
    const { handle, progress } = await followed(
      superseded(4, (times) =>
        times === 2
          ? { troubles: ['shop/paid is 0.5, alert below 90%'] }
          : times === 3
            ? { is: 'held', why: 'shop-2 is changing it now' }
            : {},
      ),
    );
    await handle.result();
    expect(
      (await progress()).notes
        .filter((note) => !note.startsWith('reading '))
        .map((note) => note.replace(/^\S+Z: /u, '')),
    ).toEqual([
      'nothing is wrong',
      'shop/paid is 0.5, alert below 90%',
      'not checked: shop-2 is changing it now',
      'not checked: f00d serves now',
      'superseded: f00d serves now',
    ]);
  });

  test('one signed word ends it; somebody without a role does not, and check-now looks at once', async () => {
    const { handle, looks, until, send, progress } = await followed();
    await until('told', async () =>
      (await progress()).notes.some((note) => note.endsWith('nothing is wrong')),
    );
    expect((await progress()).next).toMatch(/^soakgate stop-checks run-\w+ staging$/u);
    expect(await send('checkNow', 'dan')).toEqual({ accepted: true, text: 'checking now' });
    await until('the next look', () => looks() === 2);
    expect(await send('stopChecks', 'lea', 'production')).toMatchObject({
      accepted: false,
      text: 'refused: it is for another deployment or environment',
    });
    expect(await send('stopChecks', 'dan')).toEqual({
      accepted: true,
      text: 'post-deployment checks have stopped',
    });
    expect(await handle.result()).toBe('ended by dan');
    expect(looks()).toBe(2);
  });

  test('it is ended while its look cannot end, and says that it waits for one', async () => {
    const stuck = async () => {
      for (;;) {
        heartbeat();
        cancellationSignal().throwIfAborted();
        await new Promise((wake) => setTimeout(wake, 20));
      }
    };
    const { handle, looks, until, send, progress } = await followed({
      looks: (times) => (times === 1 ? {} : stuck()),
    });
    await send('checkNow', 'dan');
    await until('the look that hangs', () => looks() === 2);
    expect(await progress()).toMatchObject({ waitingFor: 'a check by the worker of staging' });
    expect(await send('stopChecks', 'lea')).toMatchObject({ accepted: true });
    expect(await handle.result()).toBe('ended by lea');
    expect(await progress()).toMatchObject({ waitingFor: null, next: null });
  });

  test('whoever was heard is answered before it ends', async () => {
    let [over, verified] = [false, false];
    const until = async (holds: () => boolean) => {
      while (!holds()) await new Promise((wake) => setTimeout(wake, 10));
    };
    const {
      run,
      handle,
      send,
      looks,
      until: reach,
    } = await followed({
      looks: async (times) =>
        times === 1 ? {} : (await until(() => over), { is: 'superseded', why: 'f00d serves now' }),
    });
    await send('checkNow', 'dan');
    await reach('the second look', () => looks() === 2);
    theatre.breakVerify(run.name, () => until(() => verified));
    const answer = send('checkNow', 'lea');
    over = true;
    setTimeout(() => (verified = true), 500);
    expect(await answer).toMatchObject({ accepted: true });
    expect(await handle.result()).toBe('superseded: f00d serves now');
  });
});
