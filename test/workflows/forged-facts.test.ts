// Somebody who reaches Temporal tells a deployment, in one unsigned signal, that staging's soak has passed. The gate's
// answers, the permit checks and the signatures are the real ones; the hands are stand-ins.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SealedGateReport } from '../../src/core/messages.ts';
import type { SignedStatement, SoakStatement } from '../../src/core/statements.ts';
import { hashJson, signStatement } from '../../src/io/trust.ts';
import { storyPlan } from '../support/story-plan.ts';
import { openTheatre, type Run, type Theatre, timeSkippingServer } from '../support/theatre.ts';

let theatre: Theatre;
beforeAll(async () => {
  if (timeSkippingServer) theatre = await openTheatre();
});
afterAll(() => theatre?.close());

const handle = (run: Run) => theatre.env.client.workflow.getHandle(run.workflowId);
const tell = (run: Run, statement?: SignedStatement) =>
  handle(run).signal('fact', {
    is: 'soakPassed',
    environment: 'staging',
    outcome: {
      environment: 'staging',
      outcome: 'passed',
      receipts: [],
      undos: [],
      differences: [],
      soak: 'fine',
      ...(statement && { statement }),
    },
  });
const productionCalls = (run: Run) => run.part.calls.filter((call) => call.startsWith('production'));
const reportOf = async (run: Run, other?: string): Promise<SealedGateReport> => {
  for (;;) {
    const report = await run.gateReport('production');
    if (report && report.hash !== other) return report;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
/** What the attacker has signed himself: everything in it is as it should be, but for its key. */
async function forged(run: Run): Promise<SignedStatement> {
  const { start, runs } = (await handle(run)
    .fetchHistory()
    .then(({ events }) =>
      JSON.parse(String(events![0]!.workflowExecutionStartedEventAttributes!.input!.payloads![0]!.data)),
    )) as {
    start: { body: { plan: string; commit: string } };
    runs: { list: object; rollout: { list: string } }[];
  };
  const body: SoakStatement = {
    says: 'soak-passed',
    deployment: run.name,
    environment: 'staging',
    plan: start.body.plan,
    list: hashJson(runs[0]!.list),
    commit: start.body.commit,
    at: new Date().toISOString(),
    steps: [
      { step: 'backup', kind: 'backup', verdict: 'pass' },
      { step: 'preview', kind: 'preview', verdict: 'pass', rehearsed: 'up-down-up' },
    ],
    soak: {
      startedAt: 0,
      endedAt: 604_800_000,
      observedMs: 604_800_000,
      samples: 9,
      missed: 0,
      gaps: 0,
      gapsMs: 0,
      extendedMs: 0,
      cleanSince: null,
    },
  };
  return signStatement(theatre.keyOf('dan'), body);
}

describe.runIf(timeSkippingServer)('an unsigned "the soak has passed"', () => {
  test('without a statement nothing is sealed, and no approval counts', async () => {
    let soaking = true;
    const run = await theatre.run(storyPlan(), {
      stands: (environment, _ms, passed) => environment === 'staging' && (passed || soaking),
    });
    await run.stands();
    await tell(run);
    await run.until('the gate says what is missing', ({ waitingFor }) =>
      Boolean(waitingFor?.startsWith('the gate of production')),
    );
    expect(await run.gateReport('production')).toBeNull();
    expect(await run.send('approve', 'lea', 'production')).toMatchObject({ accepted: false });
    await handle(run).signal('fact', { is: 'aboutToChange', environment: 'production' });
    expect(productionCalls(run)).toEqual([]);
    soaking = false;
    run.release();
    await reportOf(run);
    await run.send('approve', 'lea', 'production');
    await run.send('approve', 'dan', 'production');
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
  });

  test('with a statement of his own a report is sealed, which no approval counts for; the true one replaces it', async () => {
    let soaking = true;
    const run = await theatre.run(storyPlan(), {
      stands: (environment, _ms, passed) => environment === 'staging' && (passed || soaking),
    });
    await run.stands();
    await tell(run, await forged(run));
    const false_ = await reportOf(run);
    for (const person of ['lea', 'dan'] as const)
      expect(await run.send('approve', person, 'production', { gateReport: false_.hash })).toEqual({
        accepted: false,
        text: 'refused: not counted: the statement of staging is not signed by its worker',
      });
    expect(productionCalls(run)).toEqual([]);
    soaking = false;
    run.release();
    await reportOf(run, false_.hash);
    await run.send('approve', 'lea', 'production');
    await run.send('approve', 'dan', 'production');
    expect(await run.result()).toMatchObject({ outcome: 'completed' });
    expect(productionCalls(run)).toContain('production migrate');
  });
});

const END = { receipts: [], undos: [], differences: [], soak: null, reason: 'as somebody says' };
const sayEnded = (run: Run, outcome: string) =>
  handle(run).signal('fact', {
    is: 'ended',
    environment: 'staging',
    result: { ...END, environment: 'staging', outcome },
  });

describe.runIf(timeSkippingServer)('an unsigned "the rollout has ended"', () => {
  test.each(['passed', 'failed', 'restored', 'stuck'])(
    'as %s, while its run goes on: nothing comes of it',
    async (outcome) => {
      const run = await theatre.run(storyPlan({ only: 'staging' }), { stands: () => true });
      await run.stands();
      await run.send('pause', 'dan', 'staging');
      await run.until('paused', (progress) => progress.waitingFor === 'resume', 'staging');
      await sayEnded(run, outcome);
      expect(await run.send('abort', 'dan', 'staging'), 'its rollout still answers').toMatchObject({
        accepted: true,
      });
      expect(await run.result()).toMatchObject({
        outcome: 'rolled-back',
        reason: expect.stringContaining('abort by dan'),
      });
    },
  );
});
