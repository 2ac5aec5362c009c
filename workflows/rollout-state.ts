// What one rollout knows while it runs.
import { condition } from '@temporalio/workflow';
import { type Accepted, MOST_ACCEPTED } from '../src/core/accepted.ts';
import type { Receipt } from '../src/core/receipts.ts';
import type { StackEntry } from '../src/core/step-list.ts';
import type { StepKind } from '../src/core/step-list.ts';
import type { Waiting } from '../src/core/waiting.ts';
import type { Asker } from './ask-person.ts';
import type { RolloutInput } from './contract.ts';
import { type Progress, type LastSent, show } from './progress.ts';
import type { RolloutInbox } from './rollout-inbox.ts';

export interface RolloutState {
  readonly input: RolloutInput;
  readonly inbox: RolloutInbox;
  readonly asker: Asker;
  readonly progress: Progress;
  readonly lastSent: LastSent;
  readonly stack: StackEntry[];
  readonly passed: StepKind[];
  readonly receipts: Receipt[];
  /** What did not pass and was let pass. */
  readonly accepted: Accepted[];
  soak: string | null;
  /** Whether a step that changes the database has been started. */
  touched: boolean;
  /** Forward fixes that were taken. */
  forwards: number;
  /** The deployment was told that the soak has passed. */
  soakTold: boolean;
  /** The environment has refused the permit itself, so that nothing was begun. */
  permitRefused: boolean;
}

/** Keeps in sight that something did not pass, and who let it pass. */
export function accept({ accepted, progress }: RolloutState, about: string, how: string): void {
  if (accepted.length < MOST_ACCEPTED) accepted.push({ about, how });
  else if (accepted.length === MOST_ACCEPTED) accepted.push({ about: 'and more', how: 'see the notes' });
  progress.notes.push(`accepted: ${about} (${how})`);
}

/** For a result: absent where nothing was accepted. */
export const acceptedIn = ({ accepted }: RolloutState): { readonly accepted?: readonly Accepted[] } =>
  accepted.length > 0 ? { accepted } : {};

/** Shows what is waited for, here alone. */
export function setWaiting(state: RolloutState, waiting: Waiting | null): void {
  state.progress.waiting = waiting ? [waiting] : [];
  show(state.progress, state.lastSent);
}

/** A soak that has passed can be closed while it is paused. */
export async function untilResumed(state: RolloutState, passed: () => boolean = () => false): Promise<void> {
  setWaiting(state, { kind: 'resume', environment: state.input.run.rollout.environment });
  await condition(() => !state.inbox.paused || (state.inbox.closing && passed()));
  setWaiting(state, null);
}
