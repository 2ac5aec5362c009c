// What must work before anything can go on is called until it has worked; what keeps it from working is
// shown.
import { condition } from '@temporalio/workflow';
import type { Called } from './activities.ts';
import { type Asker, askPerson } from './ask-person.ts';

const DOUBLED = 10;
const LONGEST_MS = 3_600_000;

/**
 * Milliseconds before the next call, after so many failures: from five seconds to an hour, so that histories
 * stay small.
 */
export const backoffMs = ({ firstWaitMs }: Asker, failures: number): number =>
  Math.min(firstWaitMs * 2 ** Math.min(failures - 1, DOUBLED), LONGEST_MS);

interface Persistence {
  readonly asker: Asker;
  /** Null where it is about all of a deployment; then nobody can be asked. */
  readonly environment: string | null;
  /** Names what is called, for people. */
  readonly what: string;
  /** True when it is of no use any more. */
  readonly left?: () => boolean;
  /** The word beside `retry` that people may choose when no retry can mend it; without it nobody is asked. */
  readonly orElse?: 'stop' | 'leave-as-is';
}

/** The value; null when people chose the other word, or when it is of no use any more. */
export async function untilDone<T>(
  { asker, environment, what, left = () => false, orElse }: Persistence,
  call: () => Promise<Called<T>>,
): Promise<T | null> {
  for (let failures = 1; ; failures += 1) {
    const result = await call();
    if ('ok' in result) {
      if (failures > 1) await asker.show(null);
      return result.ok;
    }
    const why = result.failed.text;
    if (left()) return null;
    if (result.failed.final && orElse && environment !== null) {
      const asked = {
        kind: 'decision',
        environment,
        about: `${what}: ${why}`,
        options: ['retry', orElse],
      } as const;
      if ((await askPerson(asker, asked, undefined, left)).word !== 'retry') return null;
    } else {
      await asker.show({ kind: 'failing', environment, what, why });
      await condition(left, backoffMs(asker, failures), { summary: `again: ${what}` });
    }
  }
}
