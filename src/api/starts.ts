// Starts: once for each idempotency key, and once for each deployment's name.
import { canonical } from '../core/canonical.ts';
import type { SignedStart } from '../core/messages.ts';
import { sha256 } from '../io/files.ts';
import type { DeploymentClient, StartedHere } from '../client/door.ts';
import { checkedInput } from '../client/recompile.ts';
import { Replays } from './idempotency.ts';

export interface Answered {
  readonly answer: StartedHere;
  readonly replayed: boolean;
}

/** Remembers keys for as long as the process lives. */
export function openStarts(door: DeploymentClient): (key: string, signed: SignedStart) => Promise<Answered> {
  const replays = new Replays<StartedHere>();
  return async (key, signed) => {
    // Before anything is asked: what is wrong with a plan is said whether or not Temporal is there.
    checkedInput(signed);
    const once = await replays.once(key, sha256(canonical(signed)), () => door.start(signed));
    // A remembered answer is only given while Temporal is there to keep it true.
    if (once.replayed) await door.reach();
    return once;
  };
}
