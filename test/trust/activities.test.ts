// The table of attacks by activity and by workflow: every activity of production's worker, asked for by a stranger's
// workflow, by the name of a rollout that nobody has permitted, and with inputs of another shape; and workflows that a
// stranger starts. Production's database and folders stay what they are.
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { environmentActivities } from '../../activities/index.ts';
import type { WorkerContext } from '../../activities/frame/step-context.ts';
import { CONTROL_QUEUE, deploymentWorkflowId, observeQueue } from '../../src/core/ids.ts';
import { newSoak } from '../../src/core/soak.ts';
import { judge } from '../support/judge.ts';
import { ranNow } from '../support/programs.ts';
import { type Kit, raiseKit, ROLLOUT } from './kit.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });
let kit: Kit;
let honest: Awaited<ReturnType<Kit['permitFor']>>;
beforeAll(async () => {
  kit = await raiseKit('table');
  honest = await kit.permitFor();
}, 120_000);
afterAll(() => kit?.stop());

const LISTED = 'find . -type f -exec md5sum {} + | sort; find . -type l -printf "%p %l\\n" | sort';
/** The database, the service's folder, what was ever permitted, and what the worker runs. */
const moved = async () => ({
  database: await judge(kit.cast.database),
  root: ranNow('sh', ['-c', LISTED], { cwd: kit.cast.place.root }),
  permitted: ranNow('sh', ['-c', 'find rollouts nonces passed-last -type f 2>/dev/null | sort'], {
    cwd: kit.cast.place.permitStore,
  }),
  children: ranNow('sh', ['-c', `ps -o args= --ppid ${kit.cast.worker.pid()} || true`]),
});
let before: object;
beforeEach(async () => void (before = await moved()));
afterEach(async () => expect(await moved()).toEqual(before));

const ACTIVITIES = Object.keys(environmentActivities({} as WorkerContext));
/** These answer: they only say that something does not count, or that there is nothing. */
const ANSWERS: Readonly<Record<string, object | null>> = {
  verify: { accepted: false },
  closeRollout: null,
  compareRollback: { summary: 'nothing was deployed here' },
  sift: ['the signature does not match the public key'],
  beforeDeploying: { open: false },
  countNewer: { rows: 0, summary: 'no backup of this rollout has been proven' },
};

/** An input that a workflow of ours would bring, about a rollout that nobody has permitted. */
function inputOf(activity: string): object {
  const { run, permit } = honest;
  const { rollout, list } = run;
  const step = list.steps.find(({ kind }) => kind === activity) ?? list.steps.at(-1)!;
  const signed = { ...permit.approvals[0]!, signature: permit.attestations[0]!.signature };
  const about = { deployment: rollout.deployment, environment: 'production' };
  const inputs: Record<string, object> = {
    openRollout: { rollout, permit: { ...permit, approvals: [] } },
    verify: { ...about, signed, expect: { plan: 'p', requester: 'ann' } },
    sift: { ...about, signed: [signed] },
    beforeDeploying: { deployment: rollout.deployment, facts: ['window-open'], noticeBy: [], window: null },
    compareRollback: { rollout, ran: [] },
    closeRollout: { rollout, outcome: 'passed' },
    countNewer: { rollout },
    forwardFix: { rollout, step, fallback: 'restore' },
  };
  return inputs[activity] ?? { rollout, step, args: {}, approvals: permit.approvals };
}

describe.each([
  ['a stranger’s workflow', undefined],
  ['the name of a rollout', ROLLOUT],
  ['the name of its deployment', 'deployment/orders-table'],
])('by %s', (_who, as) => {
  test.each(ACTIVITIES)('%s', async (activity) => {
    const attempt = await kit.schedule(activity, inputOf(activity), as);
    if ('refused' in attempt)
      expect(attempt.refused).toMatch(
        /^(?:NOT_PERMITTED|PERMIT_REFUSED|GUARDRAIL_NOT_MET|OUTSIDE_WINDOW|STEP_CRASHED)$/u,
      );
    else if (ANSWERS[activity] === null) expect(attempt.done).toBeNull();
    else expect(attempt.done).toMatchObject(ANSWERS[activity]!);
  });
});

describe.each<[string, unknown]>([
  ['nothing', null],
  ['a list', []],
  ['a text', 'rollout'],
  ['half of it', { rollout: {} }],
  [
    'names of Object',
    { rollout: { hash: '__proto__', deployment: 'constructor' }, step: { kind: 'toString' } },
  ],
])('with %s for an input', (_what, input) => {
  test.each(ACTIVITIES)('%s', async (activity) => {
    const attempt = await kit.schedule(activity, input, ROLLOUT);
    expect(attempt.refused ?? JSON.stringify(attempt.done)).toMatch(
      /^(?:NOT_PERMITTED|PERMIT_REFUSED|STEP_CRASHED|\{"accepted":false.*|null|\[.*\]|\{.*nothing was deployed.*)$/u,
    );
  });
});

test.each(['observe', 'checkAfterwards'])('%s, on the queue of observations', async (activity) => {
  const { rollout } = honest.run;
  for (const [input, as] of [
    [{ rollout, phase: 'watch', sliceMs: 100, state: newSoak(), memory: {} }, undefined],
    [{ rollout, phase: 'watch', sliceMs: 100, state: { ...newSoak(), passed: true }, memory: {} }, ROLLOUT],
    [null, ROLLOUT],
  ] as const)
    expect((await kit.schedule(activity, input, as, observeQueue('production'))).refused).toMatch(
      /^(?:NOT_PERMITTED|STEP_CRASHED)$/u,
    );
});

/** Ends within a minute, whatever it was started with; `false` where it stays. */
async function ends(type: string, workflowId: string, args: readonly unknown[]): Promise<string> {
  const { workflow } = kit.stage.connected.client;
  const handle = await workflow.start(type, { taskQueue: CONTROL_QUEUE, workflowId, args: [...args] });
  const status = async () => (await handle.describe()).status.name;
  for (const deadline = Date.now() + 30_000; Date.now() < deadline && (await status()) === 'RUNNING';)
    await new Promise((wake) => setTimeout(wake, 100));
  const name = await status();
  if (name === 'RUNNING') await handle.terminate('end of the row');
  return name;
}

describe('a workflow that a stranger starts', { timeout: 120_000 }, () => {
  const whole = () => ({
    run: honest.run,
    permit: { ...honest.permit, approvals: [] },
    asksBeforeChange: false,
  });
  test.each<[string, () => readonly unknown[]]>([
    ['without a permit', () => [whole()]],
    ['with nothing', () => []],
    ['with another shape', () => [{ run: 7 }]],
    ['with a permit of nobody', () => [{ ...whole(), permit: {} }]],
    ['with a list of its own', () => [{ ...whole(), run: { ...honest.run, list: { steps: [] } } }]],
  ])('rollout, %s: it ends, and holds nobody’s name', async (_what, args) => {
    expect(await ends('rollout', ROLLOUT, args())).toMatch(/^(?:COMPLETED|FAILED)$/u);
  });

  test.each<[string, () => readonly unknown[]]>([
    ['with nothing', () => []],
    ['with another shape', () => [{ start: {}, runs: [] }]],
    ['without environments', () => [{ start: honest.permit.start, runs: [] }]],
    ['of an unknown type', () => [{ start: honest.permit.start }]],
  ])('deployment, %s: it ends, and has moved nothing', async (what, args) => {
    const type = what === 'of an unknown type' ? 'deploy' : 'deployment';
    expect(await ends(type, deploymentWorkflowId(`attack-${what.replaceAll(' ', '-')}`), args())).toMatch(
      /^(?:COMPLETED|FAILED)$/u,
    );
  });
});
