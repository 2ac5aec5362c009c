// What one rollout knows while it runs, and the few things every module of its story does with it.
import type { Decision } from '../src/core/matrix.ts';
import type { VerifiedMessage } from '../src/core/messages.ts';
import type { Receipt } from '../src/core/receipts.ts';
import type { StepKind } from '../src/core/step-list.ts';
import type { StackEntry } from '../src/core/step-list.ts';
import type { RolloutInput } from './contract.ts';
import type { Answered, RolloutInbox } from './rollout-inbox.ts';
import { goForward } from './forward.ts';
import { type Progress, show, type LastSent } from './progress.ts';
import { controlActivities } from './activities.ts';

/** Thrown to leave the way forward; what rolls back is decided by the fallback. */
export class RollbackRequested extends Error {
  override readonly name = 'RollbackRequested';
  readonly fallback: string | null;
  /** Who chose the fallback, where somebody did. */
  readonly by: VerifiedMessage | null;
  constructor(reason: string, fallback: string | null, by: VerifiedMessage | null = null) {
    super(reason);
    this.fallback = fallback;
    this.by = by;
  }
}

export interface RolloutState {
  readonly input: RolloutInput;
  readonly inbox: RolloutInbox;
  readonly progress: Progress;
  readonly lastSent: LastSent;
  readonly stack: StackEntry[];
  readonly passed: StepKind[];
  readonly receipts: Receipt[];
  readonly heartbeatMs: number;
  soak: string | null;
  /** Whether a step that changes the database has been started. */
  touched: boolean;
  /** Forward fixes that were taken. */
  forwards: number;
  /** What goes on while people are asked; null where nothing does. */
  meanwhile: ((ask: () => Promise<Answered>) => Promise<Answered>) | null;
}

/** Acts on a decision. True: look again (a person mended something); false: go on. Leaves by WayBackWanted. */
export async function resolve(state: RolloutState, decision: Decision, what: string): Promise<boolean> {
  if (decision.do === 'continue') return false;
  if (decision.do === 'stop') throw new RollbackRequested(what, null);
  if (decision.do === 'fallback') return takeFallback(state, decision.name, what, null);
  const options = decision.do === 'ask' ? decision.ask : ['continue', 'stop'];
  state.progress.health = 'troubled';
  const { rollout: ref } = state.input.run;
  setWaiting(
    state,
    `a decision (${options.join(' | ')}) about ${what}`,
    `soakgate decide ${ref.deployment} ${ref.environment} ${options[0]}`,
  );
  await state.inbox.notifyDeployment({
    is: 'waiting',
    environment: ref.environment,
    reason: state.progress.waitingFor,
  });
  const ask = () => state.inbox.ask(options, decision.do === 'ask' ? decision.unanswered : undefined);
  const { word, by } = await (state.meanwhile ? state.meanwhile(ask) : ask());
  setWaiting(state, null, null);
  await state.inbox.notifyDeployment({ is: 'waiting', environment: ref.environment, reason: null });
  state.progress.health = 'good';
  state.progress.notes.push(`decided about ${what}: ${word}`);
  if (word === 'continue') return false;
  if (word === 'stop') throw new RollbackRequested(`${what}; decided: stop`, null, by);
  if (Object.hasOwn(state.input.run.list.fallbacks, word))
    return takeFallback(state, word, `${what}; decided: ${word}`, by);
  return true;
}

/** A forward fix is walked here and then it goes on; every other fallback leads back. */
async function takeFallback(
  state: RolloutState,
  name: string,
  what: string,
  by: VerifiedMessage | null,
): Promise<boolean> {
  const { list } = state.input.run;
  if (!('forward' in list.fallbacks[name]!)) throw new RollbackRequested(what, name, by);
  if (await goForward(state, name, what)) return false;
  const decision = await controlActivities(`what to do about fallback ${name}`).decide({
    list,
    trouble: { fallback: name, is: 'fail' },
  });
  return resolve(state, decision, `fallback ${name}: ${state.progress.notes.at(-1)}`);
}

export function setWaiting(state: RolloutState, reason: string | null, next: string | null): void {
  state.progress.waitingFor = reason;
  state.progress.next = next;
  show(state.progress, state.lastSent);
}
