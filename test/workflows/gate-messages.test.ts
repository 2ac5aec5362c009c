// A reject that came before the gate let go of its permit wins, whatever arrives with it; one that comes later is told
// what to use instead. What a gate does not wait for is answered as not counted.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ShownProgress } from '../../src/client/shown-progress.ts';
import { storyPlan } from '../support/story-plan.ts';
import type { Script } from '../support/stand-ins.ts';
import { openTheatre, type Run, type Theatre, timeSkippingServer } from '../support/theatre.ts';

let theatre: Theatre;
beforeAll(async () => {
  if (timeSkippingServer) theatre = await openTheatre();
});
afterAll(() => theatre?.close());

const waits = (progress: ShownProgress) => progress.waitingFor?.startsWith('the gate of production') === true;
const stands: Script = { stands: (environment, _, passed) => environment === 'staging' && passed };
const atGate = async (script: Script = stands): Promise<Run> => {
  const run = await theatre.run(storyPlan(), script);
  await run.until('the gate waits', waits);
  await run.stands();
  return run;
};
/** Verification in production stands still from now on, until `go` is called. */
const held = (run: Run) => {
  const { promise, resolve: go } = Promise.withResolvers<void>();
  theatre.breakVerify(run.name, (environment) => environment === 'production' && promise);
  return go;
};
const entered = (run: Run) => run.part.calls.filter((call) => call.startsWith('production'));

describe.runIf(timeSkippingServer)('a reject', () => {
  test.each(['before', 'behind'])(
    'that arrives %s the approval that completes the quorum wins',
    async (order) => {
      const run = await atGate();
      expect(await run.send('approve', 'lea', 'production')).toMatchObject({ text: 'counted, 1 of 2' });
      const [approval, rejection] = [
        await run.sign('approve', 'dan', 'production'),
        await run.sign('reject', 'lea', 'production', { reason: 'wait' }),
      ];
      const go = held(run);
      const pair = order === 'before' ? [rejection, approval] : [approval, rejection];
      // One after the other has arrived; neither is verified yet.
      const answers: Promise<unknown>[] = [];
      for (const signed of pair) {
        answers.push(run.deliver(signed));
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
      go();
      expect(await Promise.all(answers)).toContainEqual({ accepted: true, text: 'rejected' });
      expect(await run.result()).toMatchObject({ outcome: 'rejected', reason: 'rejected by lea: wait' });
      expect(entered(run)).toEqual([]);
    },
  );

  test('that nobody has signed does not keep the gate shut', async () => {
    const run = await atGate();
    await run.send('approve', 'lea', 'production');
    const approval = await run.sign('approve', 'dan', 'production');
    const forged = { ...(await run.sign('reject', 'lea', 'production')), person: 'dan' };
    const go = held(run);
    const approved = run.deliver(approval);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const rejected = run.deliver(forged);
    await new Promise((resolve) => setTimeout(resolve, 300));
    go();
    expect(await approved).toMatchObject({ text: 'counted, 2 of 2' });
    expect(await rejected).toMatchObject({ accepted: false });
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
  });

  test('that comes after the gate has opened is refused, and names what stops the rollout', async () => {
    const reached = Promise.withResolvers<void>();
    const on = Promise.withResolvers<void>();
    const run = await atGate({
      ...stands,
      steps: {
        backup: async (_, { rollout }) => {
          if (rollout.environment === 'production') {
            reached.resolve();
            await on.promise;
          }
          return {};
        },
      },
    });
    await run.send('approve', 'lea', 'production');
    await run.send('approve', 'dan', 'production');
    await reached.promise;
    expect(await run.send('reject', 'dan', 'production')).toEqual({
      accepted: false,
      text:
        'refused: the gate of production has opened already; to stop and undo the rollout: soakgate abort ' +
        `${run.name} production`,
    });
    expect(await run.send('approve', 'lea', 'production')).toEqual({
      accepted: false,
      text: 'refused: the gate of production has opened already; nothing waits for this',
    });
    on.resolve();
    run.release();
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
  });
});

describe.runIf(timeSkippingServer)('not counted', () => {
  test('an attestation that nobody asked for, and an approval is counted as before', async () => {
    const run = await atGate();
    expect(
      await run.send('attest', 'lea', 'production', { attestation: 'shop-tried', text: 'It was tried' }),
    ).toEqual({
      accepted: false,
      text: 'refused: not counted: this gate asks for no attestation shop-tried; it asks for none',
    });
    expect(await run.send('approve', 'lea', 'production')).toMatchObject({ text: 'counted, 1 of 2' });
    await run.send('reject', 'dan', 'production');
    expect(await run.result()).toMatchObject({ outcome: 'rejected' });
  });
});

describe.runIf(timeSkippingServer)('what has counted', () => {
  test('and has expired when the last approval comes is dropped, said and asked for again', async () => {
    const run = await atGate();
    const expires = new Date(Date.now() + 2_000).toISOString();
    expect(await run.send('approve', 'lea', 'production', { expires })).toMatchObject({
      text: 'counted, 1 of 2',
    });
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(await run.send('approve', 'dan', 'production')).toMatchObject({ text: 'counted, 2 of 2' });
    const waiting = await run.until(
      'lea is asked again',
      ({ waitingFor }) => waitingFor === 'the gate of production: approval by lead',
    );
    expect(waiting.refusals).toEqual([
      {
        message: 'approve',
        person: 'lea',
        environment: 'production',
        why: 'no longer counted: the signature has expired',
      },
    ]);
    expect(entered(run)).toEqual([]);
    expect(await run.send('approve', 'lea', 'production')).toMatchObject({ text: 'counted, 2 of 2' });
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
  });
});
