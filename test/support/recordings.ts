// The runs whose histories are recorded: one for each outcome, small, with names that stay the same.
import { ApplicationFailure } from '@temporalio/common';
import { storyPlan } from './story-plan.ts';
import type { Run, Theatre } from './theatre.ts';

export const outcomes = ['completed', 'rolled-back', 'stuck', 'rejected'] as const;
export type Ending = (typeof outcomes)[number];

const slow = { soak: 'for: 7d, every: 6h, gap: at most 1d', watch: 'for: 2d, every: 6h, gap: at most 1d' };
const both = storyPlan(slow);
const only = storyPlan({ ...slow, only: 'staging' });
const standing = {
  stands: (environment: string, _: number, passed: boolean) => environment === 'staging' && passed,
};
const gateWaits = (run: Run) =>
  run.until('the gate waits', ({ waitingFor }) => waitingFor?.startsWith('the gate of production') === true);

const plays: Readonly<Record<Ending, (theatre: Theatre) => Promise<Run>>> = {
  completed: async (theatre) => {
    const run = await theatre.run(both, standing, { name: 'completed' });
    await gateWaits(run);
    await run.send('checkNow', 'dan', 'staging');
    await run.send('approve', 'lea', 'production');
    await run.send('approve', 'dan', 'production');
    return run;
  },
  'rolled-back': async (theatre) => {
    const low = {
      reads: (_: string, id: string, since: number) =>
        id === 'shop/paid' && since >= 259_200_000 ? 0.5 : undefined,
    };
    const run = await theatre.run(only, low, { name: 'rolled-back' });
    await run.until(
      'asked',
      ({ waitingFor }) => waitingFor?.includes('continue | downgrade') === true,
      'staging',
    );
    await run.stands();
    await run.send('decide', 'dan', 'staging', { decision: 'downgrade' });
    return run;
  },
  stuck: async (theatre) => {
    const script = {
      steps: { refused: () => ({ verdict: 'fail' as const, summary: 'the write was not refused' }) },
      undos: {
        migrate: () => {
          throw ApplicationFailure.nonRetryable(
            'DOWNGRADE_FAILED: the lock was not given',
            'DOWNGRADE_FAILED',
          );
        },
      },
    };
    const run = await theatre.run(only, script, { name: 'stuck' });
    for (const decision of ['retry', 'leave-as-is']) {
      const waits = ({ phase, waitingFor }: { phase: string; waitingFor: string | null }) =>
        phase === 'stuck' && waitingFor !== null;
      await run.until('stuck', waits, 'staging');
      await run.send('decide', 'lea', 'staging', { decision });
    }
    return run;
  },
  rejected: async (theatre) => {
    const run = await theatre.run(both, standing, { name: 'rejected' });
    await gateWaits(run);
    await run.send('approve', 'ann', 'production');
    await run.send('reject', 'dan', 'production', { reason: 'not this week' });
    return run;
  },
};

/** Plays one outcome and gives its histories: file name → JSON. */
export async function recordOutcome(
  theatre: Theatre,
  outcome: Ending,
): Promise<Readonly<Record<string, string>>> {
  const run = await plays[outcome](theatre);
  await run.result();
  const history = async (workflowId: string) => {
    const events = await theatre.env.client.workflow.getHandle(workflowId).fetchHistory();
    return `${JSON.stringify(withoutMachine(JSON.parse(JSON.stringify(events))), null, 1)}\n`;
  };
  return {
    [`${outcome}.deployment.json`]: await history(run.workflowId),
    [`${outcome}.rollout.json`]: await history(run.rolloutId('staging')),
  };
}

/** Nothing of the machine on which it was recorded is committed. */
function withoutMachine(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutMachine);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      key === 'identity' ? 'worker' : key === 'stackTrace' ? '' : withoutMachine(member),
    ]),
  );
}
