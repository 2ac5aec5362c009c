// Messages that came at once: those that nobody known has signed are found together, by one question to the environment,
// before the others are worked off one by one. A flood costs an honest message seconds, not minutes.
import { patched } from '@temporalio/workflow';
import type { Signed } from '../src/core/messages.ts';
import type { SiftResult } from '../src/core/message-verdict.ts';
import { environmentActivities } from './activities.ts';
import type { Timing } from './contract.ts';

const MOST_MESSAGES = 200;
/** What an activity is given stands in the history once more. */
const MOST_CHARACTERS = 400_000;

/** Why each of these cannot count, in their order; null where it has to be verified. */
export type Sift = (batch: readonly Signed[]) => Promise<SiftResult>;

/** The question to one environment. Where it is not answered, each message is verified by itself. */
export function sifter(deployment: string, environment: string, timing: Timing | undefined): Sift {
  return async (signed) => {
    if (signed.length === 0) return [];
    const ask = environmentActivities(environment, `${signed.length} messages at once`, timing, 'sift');
    const called = await ask.sift({ deployment, environment, signed });
    return 'ok' in called && called.ok.length === signed.length ? called.ok : signed.map(() => null);
  };
}

/** How many of those that wait are sifted at once; 0 where the first of them is verified by itself. */
export function siftable(waiting: readonly Signed[]): number {
  let [count, characters] = [0, 0];
  for (const signed of waiting.slice(0, MOST_MESSAGES)) {
    characters += JSON.stringify(signed).length;
    if (characters > MOST_CHARACTERS) break;
    count += 1;
  }
  return count > 1 && patched('sifted-at-once') ? count : 0;
}
