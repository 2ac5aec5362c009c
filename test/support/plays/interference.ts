// What comes from outside: aborts, cancellation and termination in Temporal, activities that fail, messages
// that nobody can read, and many that nobody known has signed.
import { CancelledFailure } from '@temporalio/common';
import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { Connected } from '../../../src/client/connection.ts';
import { recover } from '../../../src/client/recover.ts';
import { signMessage } from '../../../src/io/trust.ts';
import { HOUR, type Run, type Theatre } from '../theatre.ts';
import {
  asked,
  both,
  decide,
  ends,
  failing,
  gateWaits,
  mustCount,
  only,
  type Plays,
  standing,
} from './play.ts';

/** A step that goes on until it is cancelled, as a command under way does. */
const endless = async () => {
  while (!cancellationSignal().aborted) {
    heartbeat();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new CancelledFailure('cancelled');
};
const soaking = async (theatre: Theatre, name: string): Promise<Run> => {
  const run = await theatre.run(only, { stands: (_, since) => since === 12 * HOUR }, { name });
  await run.stands();
  return run;
};

export const interference: Plays = {
  aborted: {
    play: async (theatre, name) => {
      const run = await theatre.run(only, { steps: { migrate: endless } }, { name });
      await run.until(
        'migrate runs',
        ({ lines }) => lines.some((line) => line.name === 'migrate' && line.state === 'running'),
        'staging',
      );
      await run.send('abort', 'dan', 'staging', { reason: 'wrong night' }).then(mustCount);
      return ends(run, 'rolled-back');
    },
  },
  'aborted-at-the-gate': {
    play: async (theatre, name) => {
      const run = await theatre.run(both, standing, { name });
      await gateWaits(run);
      await run.stands();
      await run.send('abort', 'dan', 'staging').then(mustCount);
      return ends(run, 'rolled-back');
    },
  },
  cancelled: {
    play: async (theatre, name) => {
      const run = await soaking(theatre, name);
      await theatre.env.client.workflow.getHandle(run.workflowId).cancel();
      return ends(run, 'rolled-back');
    },
  },
  'deployment-terminated': {
    play: async (theatre, name) => {
      const run = await soaking(theatre, name);
      await theatre.env.client.workflow.getHandle(run.workflowId).terminate('by hand');
      await run.rolloutResult('staging');
      return run;
    },
  },
  recovered: {
    play: async (theatre, name) => {
      const run = await soaking(theatre, name);
      const { client } = theatre.env;
      await client.workflow.getHandle(run.rolloutId('staging')).terminate('by hand');
      await run.until('ended outside', ({ waiting }) => waiting[0]?.kind === 'ended-outside');
      const connected = {
        client,
        namespace: 'default',
        close: async () => undefined,
      } as unknown as Connected;
      await recover(connected, name, 'dan', theatre.keyOf('dan'), () => undefined);
      return ends(run, 'rolled-back');
    },
  },
  'not-readable': {
    of: ['rollout'],
    play: async (theatre, name) => {
      let gone = true;
      const run = await theatre.run(
        only,
        {
          fails: (activity) => (activity === 'observe' && gone ? { final: 'SECRET_MISSING' } : null),
        },
        { name, timing: { retryMs: 5 } },
      );
      await asked(run, 'retry | stop');
      gone = false;
      await decide(run, 'retry');
      return ends(run, 'completed');
    },
  },
  'people-decided': {
    of: ['rollout'],
    play: async (theatre, name) => {
      const again = (times: number) =>
        times === 1
          ? { verdict: 'fail' as const, figures: { people: 2, none: 0 } }
          : { figures: { people: 0, none: 0 } };
      const run = await theatre.run(only, { steps: { 'data: again': again } }, { name });
      await asked(run, 'fixed-manually | stop');
      await decide(run, 'fixed-manually');
      return ends(run, 'completed');
    },
  },
  'asked-about-failures': {
    play: async (theatre, name) => {
      const once = ['openRollout', 'decide', 'planRollback', 'judgeRollback', 'closeRollout'];
      const run = await theatre.run(
        only,
        {
          steps: { refused: failing },
          fails: (activity, call) => (once.includes(activity) && call === 1 ? 'final' : null),
        },
        { name },
      );
      for (let at = 0; at < once.length; at += 1) {
        const { waitingFor } = await asked(run, 'retry');
        await decide(run, 'retry');
        await run.until('it goes on', (now) => now.waitingFor !== waitingFor, 'staging').catch(() => null);
      }
      return ends(run, 'rolled-back');
    },
  },
  'evidence-failing': {
    of: ['deployment'],
    play: async (theatre, name) =>
      ends(
        await theatre.run(
          only,
          {
            steps: { backup: failing },
            fails: (activity, call) => (activity === 'closeEvidence' && call <= 2 ? 'final' : null),
          },
          { name, timing: { retryMs: 5 } },
        ),
        'failed',
      ),
  },
  malformed: {
    play: async (theatre, name) => {
      const run = await soaking(theatre, name);
      const { workflow } = theatre.env.client;
      for (const [id, own] of [
        [run.workflowId, 'fact'],
        [run.rolloutId('staging'), 'command'],
      ] as const) {
        for (const payload of [{ is: 'hello' }, null, 7]) await workflow.getHandle(id).signal(own, payload);
        await workflow.getHandle(id).signal('nobody-knows-this', 1);
      }
      await run.until('counted', ({ malformed }) => malformed === 4, 'staging');
      await run.send('abort', 'dan', 'staging').then(mustCount);
      return ends(run, 'rolled-back');
    },
  },
  flooded: {
    play: async (theatre, name) => {
      const run = await soaking(theatre, name);
      const { workflow } = theatre.env.client;
      // Lea's key under Dan's name.
      const forged = (at: number) =>
        signMessage(theatre.keyOf('lea'), 'abort', 'dan', {
          deployment: name,
          environment: 'staging',
          nonce: `forged-${at}`,
          expires: '2099-01-01T00:00:00.000Z',
        });
      const numbers = Array.from({ length: 12 }, (_, at) => at);
      await Promise.all(numbers.map((at) => workflow.getHandle(run.workflowId).signal('abort', forged(at))));
      await run.until('dropped', ({ dropped = 0 }) => dropped > 1);
      const rollout = workflow.getHandle(run.rolloutId('staging'));
      await Promise.all(
        numbers.map((at) => rollout.signal('command', { is: 'message', signed: forged(at + 100) })),
      );
      await run.until('dropped', ({ dropped = 0 }) => dropped > 1, 'staging');
      await run.send('abort', 'dan', 'staging').then(mustCount);
      return ends(run, 'rolled-back');
    },
  },
};
