// Starts: once for each idempotency key, and once for each deployment's name.
import type { DeploymentClient, StartedHere } from '../client/door.ts';
import { Replays } from './idempotency.ts';
import type { ReadStart } from './start-reader.ts';

export interface Answered {
  readonly answer: StartedHere;
  readonly replayed: boolean;
}

/** Remembers keys for as long as the process lives. */
export function openStarts(door: DeploymentClient): (key: string, start: ReadStart) => Promise<Answered> {
  const replays = new Replays<StartedHere>();
  return async (key, { signed, checked, hash }) => {
    const once = await replays.once(key, hash, () => door.start(signed, checked));
    // A remembered answer is only given while Temporal is there to keep it true.
    if (once.replayed) await door.reach();
    return once;
  };
}
