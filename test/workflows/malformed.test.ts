// What nobody can read: counted or rejected, never a workflow task that fails, and nothing that changes.
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, RawValue } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CONTROL_QUEUE } from '../../src/core/ids.ts';
import { deploymentInput } from '../../src/client/recompile.ts';
import { signedStart } from '../api/deployments.ts';
import { storyPlan } from '../support/story-plan.ts';
import { devServer, HOUR, openTheatre, type Run, type Theatre } from '../support/theatre.ts';

let theatre: Theatre;
beforeAll(async () => {
  if (devServer) theatre = await openTheatre({ real: true });
});
afterAll(() => theatre?.close());

const soaking = async (): Promise<Run> => {
  const run = await theatre.run(storyPlan({ only: 'staging' }), {
    stands: (_, since) => since === 10 * HOUR,
  });
  await run.until('soaks', ({ phase }) => phase === 'soak', 'staging');
  await run.stands();
  return run;
};

/** A payload as no converter writes it. */
const raw = (encoding: string, data: string) =>
  RawValue.fromPayload({ metadata: { encoding: Buffer.from(encoding) }, data: Buffer.from(data) });
const deep = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const unreadable = [
  raw('json/plain', '{"is":'),
  raw('binary/encrypted', 'x'),
  raw('json/protobuf', 'x'),
  raw('json/plain', deep(100_000)),
];
const shapeless = [
  { is: 'hello' },
  null,
  7,
  'text',
  [],
  { is: '__proto__' },
  { is: 'message' },
  { is: 'stop' },
];
const facts = [
  { is: 'waiting', environment: 'staging', waiting: { kind: 'decision', environment: 'staging' } },
  { is: 'ended', environment: 'staging', result: {} },
  { is: 'soakPassed', environment: 'nowhere', outcome: {} },
];

async function failedTasks(workflowId: string): Promise<readonly string[]> {
  const { events } = await theatre.env.client.workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).flatMap(({ workflowTaskFailedEventAttributes: failed }) =>
    failed ? [String(failed.failure?.message)] : [],
  );
}

describe.runIf(devServer)('signals and updates that nobody can read', () => {
  test.each(['rollout', 'deployment'] as const)(
    'to a %s: signals are counted, and the next message is answered',
    async (target) => {
      const run = await soaking();
      const id = target === 'rollout' ? run.rolloutId('staging') : run.workflowId;
      const handle = theatre.env.client.workflow.getHandle(id);
      const own = target === 'rollout' ? 'command' : 'fact';
      const sent = [...unreadable, ...shapeless, ...(target === 'deployment' ? facts : [])];
      for (const payload of sent) await handle.signal(own, payload);
      // What a person pastes from `soakgate pause … --print` into the form of the wrong signal.
      await handle.signal(own, await run.sign('pause', 'dan', 'staging'));
      await handle.signal('nobody-knows-this', 1);
      await handle.signal('__temporal_reserved', 1).catch(() => undefined);
      if (target === 'deployment') {
        await handle.signal('pause', { message: 'pause' });
        await handle.signal('pause', unreadable[0]);
      }
      const counted = sent.length + 2 + (target === 'deployment' ? 2 : 0);
      await run.until(
        'counted',
        ({ malformed }) => malformed === counted,
        target === 'rollout' ? 'staging' : undefined,
      );
      expect(await run.send('pause', 'dan', 'staging')).toEqual({
        accepted: true,
        text: 'paused before the next step',
      });
      expect(await failedTasks(id)).toEqual([]);
      expect(await run.send('abort', 'dan', 'staging')).toMatchObject({ accepted: true });
      expect(await run.result()).toMatchObject({ outcome: 'rolled-back', reason: 'staging: abort by dan' });
    },
  );

  test('updates are rejected, before and after the names that are known', async () => {
    const run = await soaking();
    const handle = theatre.env.client.workflow.getHandle(run.workflowId);
    for (const payload of [...unreadable, ...shapeless])
      await expect(handle.executeUpdate('pause', { args: [payload] })).rejects.toThrow();
    const signed = await run.sign('pause', 'dan', 'staging');
    await expect(handle.executeUpdate('resume', { args: [signed] })).rejects.toThrow();
    await expect(handle.executeUpdate('nobody-knows-this', { args: [signed] })).rejects.toThrow();
    await expect(handle.query('nobody-knows-this')).rejects.toThrow();
    await expect(handle.query('gateReport', unreadable[0])).resolves.toBeNull();
    expect(await failedTasks(run.workflowId)).toEqual([]);
    expect((await run.progress('staging')).waiting).toEqual([]);
    run.release();
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
  });
});

describe.runIf(devServer)('a workflow that is started with rubbish', () => {
  const inputs = [
    unreadable[0],
    unreadable[1],
    null,
    {},
    { start: {}, runs: [] },
    { start: { body: {} }, runs: [{}] },
  ];
  test.each([
    ['no list', 'lea'],
    ['10,000', Array.from({ length: 10_000 }, (_, at) => ({ person: `p${at}`, signature: `s${at}` }))],
    ['twice the same', [1, 2].map(() => ({ person: 'lea', signature: 'x' }))],
    ['something else', [{ person: 'lea' }]],
  ])('a deployment whose start has signatures that are %s', async (name, also) => {
    const input = deploymentInput(signedStart());
    const handle = await theatre.env.client.workflow.start('deployment', {
      workflowId: `rubbish-signatures-${name.replaceAll(/\W/gu, '')}`,
      taskQueue: CONTROL_QUEUE,
      args: [{ ...input, start: { ...input.start, also } }],
    });
    const thrown = await handle.result().catch((error: unknown) => error);
    expect((thrown as WorkflowFailedError).cause).toMatchObject({ type: 'INPUT_UNREADABLE' });
    expect(await failedTasks(handle.workflowId)).toEqual([]);
  });

  const types = ['deployment', 'rollout', 'afterwards', 'nobody-knows-this'];
  test.each(types)('%s: ends at once, with a code', async (type) => {
    for (const [number, input] of inputs.entries()) {
      const handle = await theatre.env.client.workflow.start(type, {
        workflowId: `rubbish-${type}-${number}`,
        taskQueue: CONTROL_QUEUE,
        args: [input],
      });
      const error = await handle.result().then(
        () => null,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(WorkflowFailedError);
      expect((error as WorkflowFailedError).cause).toMatchObject({ type: 'INPUT_UNREADABLE' });
      expect((error as WorkflowFailedError).cause).toBeInstanceOf(ApplicationFailure);
      expect(await failedTasks(handle.workflowId)).toEqual([]);
    }
  });
});
