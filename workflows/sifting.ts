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
/** From so many on, those that are long are dropped unasked: they would fill the history. */
const CROWD = 20;
const LONG = 4_096;
const TOO_LONG = `it is longer than ${LONG} characters, and many messages came at once; send it again, later or shorter`;

/** Those in front of a line that are asked about together. */
export interface Batch<T> {
  readonly taken: readonly T[];
  readonly crowded: boolean;
}

/** Why each of these cannot count, in their order; null where it has to be verified. */
export type Sift = (batch: Batch<Signed>) => Promise<SiftResult>;

const lengthOf = (signed: Signed): number => JSON.stringify(signed).length;

/** The question to one environment. Where it is not answered, each message is verified by itself. */
export function sifter(deployment: string, environment: string, timing: Timing | undefined): Sift {
  return async ({ taken, crowded }) => {
    const signed = taken.filter((one) => !crowded || lengthOf(one) <= LONG);
    const ask = environmentActivities(environment, `${signed.length} messages at once`, timing, 'sift');
    const called = signed.length > 0 ? await ask.sift({ deployment, environment, signed }) : { ok: [] };
    const said = 'ok' in called && called.ok.length === signed.length ? called.ok : [];
    return taken.map((one) => {
      const at = signed.indexOf(one);
      return at === -1 ? TOO_LONG : (said[at] ?? null);
    });
  };
}

/** Takes from the front of a line what is sifted at once; null where the first of it is verified by itself. */
export function takeBatch<T>(waiting: T[], signedOf: (one: T) => Signed): Batch<T> | null {
  const crowded = waiting.length > CROWD;
  let [count, characters] = [0, 0];
  for (const one of waiting.slice(0, MOST_MESSAGES)) {
    const length = lengthOf(signedOf(one));
    if (!crowded || length <= LONG) characters += length;
    if (characters > MOST_CHARACTERS) break;
    count += 1;
  }
  return count > 1 && patched('sifted-at-once') ? { taken: waiting.splice(0, count), crowded } : null;
}
