// What people do to a soak, what it asks them, and what is checked when all is over.
import { WorkflowUpdateStage } from '@temporalio/client';
import { afterwardsWorkflowId } from '../../../src/core/ids.ts';
import { shownProgress } from '../../../src/client/shown-progress.ts';
import type { Progress } from '../../../workflows/progress.ts';
import type { Answer } from '../../../workflows/messages.ts';
import { storyPlan } from '../story-plan.ts';
import { DAY, HOUR, type Run, type Theatre } from '../theatre.ts';
import { asked, decide, ends, low, mustCount, only, type Plays, short } from './play.ts';

const standsOnce = { stands: (_: string, since: number) => since === 12 * HOUR };

export const soaks: Plays = {
  paused: {
    play: async (theatre, name) => {
      const run = await theatre.run(only, standsOnce, { name });
      await run.stands();
      await run.send('pause', 'dan', 'staging').then(mustCount);
      await run.until('paused', ({ waitingFor }) => waitingFor === 'resume', 'staging');
      await run.send('resume', 'lea', 'staging').then(mustCount);
      run.release();
      return ends(run, 'completed');
    },
  },
  extended: {
    of: ['rollout'],
    play: async (theatre, name) => {
      const run = await theatre.run(only, standsOnce, { name });
      await run.stands();
      await run.send('extendSoak', 'dan', 'staging', { byMs: DAY }).then(mustCount);
      await run.send('checkNow', 'dan', 'staging').then(mustCount);
      run.release();
      return ends(run, 'completed');
    },
  },
  'extension-decided': {
    of: ['rollout'],
    play: async (theatre, name) => {
      const silent = (since: number) => since > DAY && since < 4 * DAY;
      const run = await theatre.run(
        only,
        { reads: (_, id, since) => (id === 'shop/paid' && silent(since) ? null : undefined) },
        { name },
      );
      await asked(run, 'extend');
      await run.stands();
      await decide(run, 'extend');
      return ends(run, 'completed');
    },
  },
  unanswered: {
    of: ['rollout'],
    play: async (theatre, name) =>
      ends(
        await theatre.run(only.replace('after: 4h', 'after: 1s'), { reads: low() }, { name }),
        'rolled-back',
      ),
  },
  withdrawn: {
    of: ['rollout'],
    play: async (theatre, name) => {
      const worse = (id: string, since: number) => id === 'site/failures' && since > DAY;
      const run = await theatre.run(
        only,
        {
          goesOn: true,
          reads: (_, id, since) =>
            id === 'shop/paid' && since >= DAY ? 0.5 : worse(id, since) ? 9 : undefined,
        },
        { name },
      );
      return ends(run, 'rolled-back');
    },
  },
  afterwards: {
    of: ['rollout', 'afterwards'],
    play: async (theatre, name) => {
      const plan = storyPlan({ ...short, only: 'staging', afterwards: 'every: 7d, monitors: [shop]' });
      const run = await ends(await theatre.run(plan, {}, { name }), 'completed');
      const left = theatre.env.client.workflow.getHandle(afterwardsWorkflowId(name, 'staging'));
      await checked(left, 1);
      await tell(theatre, run, 'checkNow');
      await checked(left, 2);
      await tell(theatre, run, 'stopChecks');
      await left.result();
      return run;
    },
  },
};

type Left = ReturnType<Theatre['env']['client']['workflow']['getHandle']>;

/** Until it waits after so many checks. */
async function checked(left: Left, times: number): Promise<void> {
  for (const deadline = Date.now() + 20_000; ;) {
    const now = await left
      .query<Progress>('progress')
      .then(shownProgress)
      .catch(() => null);
    if (now?.notes.length === times && now.waiting[0]?.kind === 'next-check') return;
    if (Date.now() > deadline) throw new Error(`not checked ${times} times: ${JSON.stringify(now)}`);
    await new Promise((wake) => setTimeout(wake, 15));
  }
}

async function tell(theatre: Theatre, run: Run, message: 'checkNow' | 'stopChecks'): Promise<void> {
  const signed = await run.sign(message, 'dan', 'staging');
  const update = await theatre.env.client.workflow
    .getHandle(afterwardsWorkflowId(run.name, 'staging'))
    .startUpdate<Answer, [typeof signed]>(message, {
      args: [signed],
      waitForStage: WorkflowUpdateStage.ACCEPTED,
    });
  mustCount(await update.result());
}
