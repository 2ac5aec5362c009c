// One run for each outcome, and what happens at the gate.
import { ApplicationFailure } from '@temporalio/common';
import { storyPlan } from '../story-plan.ts';
import { DAY, HOUR } from '../theatre.ts';
import {
  approve,
  asked,
  both,
  decide,
  ends,
  failing,
  gateWaits,
  low,
  mustCount,
  only,
  type Plays,
  short,
  standing,
  stuck,
} from './play.ts';

const noLock = () => {
  throw ApplicationFailure.nonRetryable('DOWNGRADE_FAILED: the lock was not given', 'DOWNGRADE_FAILED');
};

export const outcomes: Plays = {
  completed: {
    of: ['deployment', 'rollout', 'production'],
    play: async (theatre, name) => {
      const run = await theatre.run(both, standing, { name });
      await gateWaits(run);
      await run.stands();
      await run.send('checkNow', 'dan', 'staging').then(mustCount);
      await approve(run);
      return ends(run, 'completed');
    },
  },
  'rolled-back': {
    play: async (theatre, name) => {
      const run = await theatre.run(only, { reads: low() }, { name });
      await asked(run, 'continue | downgrade');
      await run.stands();
      await decide(run, 'downgrade');
      return ends(run, 'rolled-back');
    },
  },
  stuck: {
    play: async (theatre, name) => {
      const script = { steps: { refused: failing }, undos: { migrate: noLock } };
      const run = await theatre.run(only, script, { name });
      for (const decision of ['retry', 'leave-as-is']) {
        await stuck(run);
        await decide(run, decision);
      }
      return ends(run, 'stuck');
    },
  },
  rejected: {
    play: async (theatre, name) => {
      const run = await theatre.run(both, standing, { name });
      await gateWaits(run);
      await run.stands();
      await run.send('approve', 'ann', 'production');
      await run.send('reject', 'dan', 'production', { reason: 'not this week' }).then(mustCount);
      return ends(run, 'rejected');
    },
  },
  expired: {
    skips: true,
    play: async (theatre, name) => {
      const run = await theatre.run(both, standing, { name });
      await gateWaits(run);
      await run.stands();
      // No time is skipped while staging is observed: paused, its activity is over.
      await run.send('pause', 'dan', 'staging').then(mustCount);
      await run.until('paused', ({ waitingFor }) => waitingFor === 'resume', 'staging');
      await theatre.env.sleep(8 * DAY);
      return ends(run, 'expired');
    },
  },
  failed: {
    play: async (theatre, name) =>
      ends(await theatre.run(only, { steps: { backup: failing } }, { name }), 'failed'),
  },
  'permit-refused': {
    of: ['deployment', 'production'],
    play: async (theatre, name) => {
      const never = storyPlan({ ...short, window: '0 0 29 2 *' });
      const run = await theatre.run(never, standing, { name });
      await gateWaits(run);
      await run.stands();
      await approve(run);
      return ends(run, 'failed');
    },
  },
  window: {
    skips: true,
    of: ['deployment'],
    play: async (theatre, name) => {
      const shut = { open: false, waitMs: 30 * HOUR, why: 'the window opens on Sunday' };
      const answers = [shut, { open: true, waitMs: 0, why: '' }];
      const plan = storyPlan({ ...short, window: '"* * * * *"' });
      const run = await theatre.run(plan, { ...standing, mayEnter: () => answers.shift()! }, { name });
      await gateWaits(run);
      await run.stands();
      await approve(run);
      await run.until('waits for it', ({ waitingFor }) => waitingFor?.includes('the window opens') === true);
      await run.send('pause', 'dan', 'staging').then(mustCount);
      await run.until('paused', ({ waitingFor }) => waitingFor === 'resume', 'staging');
      await theatre.env.sleep(31 * HOUR);
      return ends(run, 'completed');
    },
  },
  'gate-voided': {
    play: async (theatre, name) => {
      let bad = false;
      const run = await theatre.run(
        both,
        {
          ...standing,
          reads: (environment, id) =>
            environment === 'staging' && id === 'shop/paid' && bad ? 0.5 : undefined,
        },
        { name },
      );
      await gateWaits(run);
      await run.stands();
      await run.send('approve', 'lea', 'production').then(mustCount);
      bad = true;
      run.release();
      await asked(run, 'continue | downgrade');
      bad = false;
      await decide(run, 'continue');
      await run.until(
        'a second gate report',
        ({ waitingFor }) => waitingFor === 'the gate of production: approval by lead and dba',
      );
      await approve(run);
      return ends(run, 'completed');
    },
  },
  attested: {
    of: ['deployment'],
    play: async (theatre, name) => {
      const plan = both.replace(
        '    approved:',
        '    attested: [{ id: tried, role: lead, text: The shop was tried by hand }]\n    approved:',
      );
      const run = await theatre.run(plan, standing, { name });
      await gateWaits(run);
      await run.stands();
      await run
        .send('attest', 'lea', 'production', {
          attestation: 'tried',
          text: 'The shop was tried by hand',
        })
        .then(mustCount);
      await approve(run);
      return ends(run, 'completed');
    },
  },
};
