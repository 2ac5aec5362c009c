// Starts: once for each idempotency key, and once for each deployment's name.
import { canonical } from '../core/canonical.ts';
import type { SignedStart, StartBody } from '../core/messages.ts';
import { renderComplaint } from '../core/plan/complaint.ts';
import { secretsIn } from '../io/plan-secrets.ts';
import { Problem } from '../client/problem.ts';
import { sha256 } from '../io/files.ts';
import type { DeploymentClient, StartedHere } from '../client/door.ts';
import { checkedInput } from '../client/recompile.ts';
import { Replays } from './idempotency.ts';

export interface Answered {
  readonly answer: StartedHere;
  readonly replayed: boolean;
}

/** @throws Problem where the text of the plan holds what looks like a secret: it would stay in every history. */
async function refuseSecrets({ planText, planFile }: StartBody): Promise<void> {
  const details = (await secretsIn(planText, planFile)).map(renderComplaint);
  if (details.length > 0)
    throw new Problem('usage', 'the plan holds what looks like a secret', 'take it out, and sign again', {
      details,
    });
}

/** Remembers keys for as long as the process lives. */
export function openStarts(door: DeploymentClient): (key: string, signed: SignedStart) => Promise<Answered> {
  const replays = new Replays<StartedHere>();
  return async (key, signed) => {
    // Before anything is asked: what is wrong with a plan is said whether or not Temporal is there.
    checkedInput(signed);
    await refuseSecrets(signed.body);
    const once = await replays.once(key, sha256(canonical(signed)), () => door.start(signed));
    // A remembered answer is only given while Temporal is there to keep it true.
    if (once.replayed) await door.reach();
    return once;
  };
}
