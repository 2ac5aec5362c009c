// One run whose histories are recorded: small, with a name that stays the same.
import type { ShownProgress } from '../../../src/client/shown-progress.ts';
import { storyPlan } from '../story-plan.ts';
import type { Script } from '../stand-ins.ts';
import { DAY, type Run, type Theatre } from '../theatre.ts';

/** Whose history: the rollout is that of staging. */
export type Whose = 'deployment' | 'rollout' | 'production' | 'afterwards';

export interface Play {
  /**
   * Time passes by skipping, for what waits for days on the server's own clock; left out, a dev server plays
   * it.
   */
  readonly skips?: true;
  /** Left out: the deployment and the rollout. */
  readonly of?: readonly Whose[];
  /** Plays under this name until every workflow that is recorded has ended. */
  readonly play: (theatre: Theatre, name: string) => Promise<Run>;
}

export type Plays = Readonly<Record<string, Play>>;

/** Soaks of a few slices. */
export const short = {
  soak: 'for: 2d, every: 12h, gap: at most 1d',
  watch: 'for: 1d, every: 12h, gap: at most 1d',
};
export const both = storyPlan(short);
export const only = storyPlan({ ...short, only: 'staging' });

/** Staging stands still once it has soaked; nothing is recorded by chance. */
export const standing: Script = {
  stands: (environment, _, passed) => environment === 'staging' && passed,
};
/** Paid is low from the second day on, until something mends it. */
export const low = (mended: () => boolean = () => false): Script['reads'] => {
  return (_, id, since) => (id === 'shop/paid' && since >= DAY && !mended() ? 0.5 : undefined);
};
export const failing = () => ({ verdict: 'fail' as const, summary: 'not as it should be' });

const starts =
  (text: string) =>
  ({ waitingFor }: ShownProgress) =>
    waitingFor?.startsWith(text) === true;

export const gateWaits = (run: Run) => run.until('the gate waits', starts('the gate of production'));

/** Until the rollout in staging asks for one of these words. */
export const asked = (run: Run, options: string) =>
  run.until(
    `asked: ${options}`,
    ({ waitingFor }) => waitingFor?.includes(options) === true && waitingFor.includes('decision'),
    'staging',
  );

export const stuck = (run: Run) =>
  run.until('stuck', ({ phase, waitingFor }) => phase === 'stuck' && waitingFor !== null, 'staging');

export const decide = (run: Run, decision: string) =>
  run.send('decide', 'dan', 'staging', { decision }).then(mustCount);

/** A message that is refused would be recorded as if it had been meant. */
export function mustCount({ accepted, text }: { readonly accepted: boolean; readonly text: string }): void {
  if (!accepted) throw new Error(`a message of the play does not count: ${text}`);
}

/** Until both have approved. */
export async function approve(run: Run): Promise<void> {
  for (const person of ['lea', 'dan'] as const)
    await run.send('approve', person, 'production').then(mustCount);
}

/** Waits for the outcome that the play is about. */
export async function ends(run: Run, outcome: string): Promise<Run> {
  const result = await run.result();
  if (result.outcome !== outcome)
    throw new Error(`${run.name} ended ${result.outcome}, not ${outcome}: ${result.reason}`);
  return run;
}
