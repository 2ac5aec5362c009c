// A termination, of which only a real server tells parents and children.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { whatNext } from '../../src/cli/render/status.ts';
import type { Connected } from '../../src/client/connection.ts';
import { recover } from '../../src/client/recover.ts';
import { sendMessage } from '../../src/client/send.ts';
import { openStatus } from '../../src/client/status.ts';
import { afterwardsWorkflowId } from '../../src/core/ids.ts';
import type { Script } from '../support/stand-ins.ts';
import { storyPlan } from '../support/story-plan.ts';
import { devServer, HOUR, openTheatre, type Theatre } from '../support/theatre.ts';

let theatre: Theatre;
let connected: Connected;
beforeAll(async () => {
  if (!devServer) return;
  theatre = await openTheatre({ real: true });
  const { client } = theatre.env;
  connected = { client, namespace: 'default', close: async () => undefined } as unknown as Connected;
});
afterAll(() => theatre?.close());

const only = storyPlan({ only: 'staging' });
const differsOnce: Script['compare'] = (times) => ({
  equal: times > 1,
  differences: times > 1 ? [] : ['orders 1'],
  writtenSince: [],
  summary: 'compared',
});
const standing = { stands: (_: string, since: number) => since === 10 * HOUR };

describe.runIf(devServer)('terminated from outside', () => {
  test(
    'a rollout that is terminated: its deployment says so, names the command and waits; messages to it ' +
      'are answered',
    async () => {
      const run = await theatre.run(only, standing);
      await run.until('it soaks', () => run.part.clocks.get('staging')! - Date.UTC(2026, 0, 5) === 10 * HOUR);
      await theatre.env.client.workflow.getHandle(run.rolloutId('staging')).terminate('by hand');
      const progress = await run.until(
        'it says so',
        ({ waitingFor }) =>
          waitingFor?.startsWith('recovery: the rollout in staging was ended from outside') === true,
      );
      expect(progress.next).toBe(`soakgate recover ${run.name}`);
      expect(await run.send('abort', 'dan', 'staging')).toEqual({
        accepted: false,
        text: `refused: the rollout in staging was ended from outside; soakgate recover ${run.name}`,
      });
      expect((await theatre.env.client.workflow.getHandle(run.workflowId).describe()).status.name).toBe(
        'RUNNING',
      );
      await theatre.env.client.workflow.getHandle(run.workflowId).terminate('end of test');
    },
  );

  test('the end of a rollout that was terminated is what a signal says, and the outcome says that nobody has stated it', async () => {
    const run = await theatre.run(only, standing);
    await run.until('it soaks', () => run.part.clocks.get('staging')! - Date.UTC(2026, 0, 5) === 10 * HOUR);
    await theatre.env.client.workflow.getHandle(run.rolloutId('staging')).terminate('by hand');
    await run.until('it says so', ({ waitingFor }) => waitingFor?.startsWith('recovery') === true);
    const end = { receipts: [], undos: [], differences: [], soak: null, reason: 'as somebody says' };
    await theatre.env.client.workflow.getHandle(run.workflowId).signal('fact', {
      is: 'ended',
      environment: 'staging',
      result: { ...end, environment: 'staging', outcome: 'restored' },
    });
    expect(await run.result()).toMatchObject({
      outcome: 'rolled-back',
      reason: 'staging: as somebody says (unsigned: no worker has stated this end)',
    });
  });

  test('a cancelled deployment answers the decision that its stuck rollback waits for', async () => {
    const run = await theatre.run(only, { ...standing, compare: differsOnce });
    await run.until('it soaks', () => run.part.clocks.get('staging')! - Date.UTC(2026, 0, 5) === 10 * HOUR);
    await theatre.env.client.workflow.getHandle(run.workflowId).cancel();
    await run.until('it is stuck', ({ phase }) => phase === 'stuck', 'staging');
    const decide = await run.sign('decide', 'dan', 'staging', { decision: 'retry' });
    expect(await sendMessage(connected, decide)).toEqual({ outcome: 'accepted', text: 'decided: retry' });
    expect(await run.result()).toMatchObject({ outcome: 'rolled-back' });
  });

  test('post-deployment checks are not ended with its deployment', async () => {
    const run = await theatre.run(storyPlan({ only: 'staging', afterwards: 'every: 7d' }));
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
    const handle = theatre.env.client.workflow.getHandle(afterwardsWorkflowId(run.name, 'staging'));
    await new Promise((wake) => setTimeout(wake, 500));
    expect((await handle.describe()).status.name).toBe('RUNNING');
    await handle.terminate('end of test');
  });

  test('a deployment that is terminated is undone by its rollout, which closes the evidence itself', async () => {
    const run = await theatre.run(only, standing);
    await run.until('it soaks', () => run.part.clocks.get('staging')! - Date.UTC(2026, 0, 5) === 10 * HOUR);
    await theatre.env.client.workflow.getHandle(run.workflowId).terminate('by hand');
    expect(await run.rolloutResult('staging')).toMatchObject({ outcome: 'restored', differences: [] });
    expect(run.part.calls.at(-1)).toBe('evidence: restored, staging restored');
  });

  test(
    'and when that rollback gets stuck: status names the command, recover says so, and the answer ' +
      'reaches it',
    async () => {
      const run = await theatre.run(only, { ...standing, compare: differsOnce });
      await run.until('it soaks', () => run.part.clocks.get('staging')! - Date.UTC(2026, 0, 5) === 10 * HOUR);
      await theatre.env.client.workflow.getHandle(run.workflowId).terminate('by hand');
      await run.until('it is stuck', ({ phase }) => phase === 'stuck', 'staging');
      const decide = `soakgate decide ${run.name} staging retry`;
      const status = async () => whatNext(await (await openStatus(connected, run.name)).read());
      expect((await status()).next).toBe(`${decide} --as YOU`);
      await expect(
        recover(connected, run.name, 'dan', theatre.keyOf('dan'), () => undefined),
      ).rejects.toMatchObject({
        kind: 'pending',
        message: 'the rollback in staging waits for manual fix needed: 1 difference remains',
        next: decide,
      });
      const send = async (...args: Parameters<typeof run.sign>) =>
        sendMessage(connected, await run.sign(...args));
      expect(await send('abort', 'dan', 'staging')).toMatchObject({ outcome: 'unknown' });
      const said =
        (text: string) =>
        ({ notes }: { notes: readonly string[] }) =>
          notes.includes(text);
      const begun = `abort by dan: refused: the rollback waits for a decision (retry | leave-as-is); ${decide}`;
      await run.until('the abort is answered', said(begun), 'staging');
      expect(await send('decide', 'dan', 'staging', { decision: 'retry' })).toMatchObject({
        outcome: 'unknown',
        text: expect.stringContaining('was left there'),
      });
      expect(await run.rolloutResult('staging')).toMatchObject({ outcome: 'restored', differences: [] });
      expect(run.part.calls.at(-1)).toBe('evidence: restored, staging restored');
      await expect(send('decide', 'dan', 'staging', { decision: 'retry' })).rejects.toThrow('has ended');
    },
  );
});
