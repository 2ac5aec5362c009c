// What one rollout knows while it runs, and the few things every module of its story does with it.
import type { Decision } from '../src/core/matrix.ts';
import type { VerifiedMessage } from '../src/core/messages.ts';
import type { Receipt } from '../src/core/receipts.ts';
import type { StepKind } from '../src/core/step-list.ts';
import type { StackEntry } from '../src/core/step-list.ts';
import type { RolloutInput } from './contract.ts';
import type { Answered, Desk } from './desk.ts';
import { goForward } from './forward.ts';
import { type Progress, show, type Shown } from './progress.ts';
import { controlActivities } from './proxies.ts';

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

export interface Stay {
  readonly input: RolloutInput;
  readonly desk: Desk;
  readonly progress: Progress;
  readonly shown: Shown;
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
export async function resolve(stay: Stay, decision: Decision, what: string): Promise<boolean> {
  if (decision.do === 'continue') return false;
  if (decision.do === 'stop') throw new RollbackRequested(what, null);
  if (decision.do === 'fallback') return takeFallback(stay, decision.name, what, null);
  const options = decision.do === 'ask' ? decision.ask : ['continue', 'stop'];
  stay.progress.health = 'troubled';
  const { rollout: ref } = stay.input.run;
  waiting(
    stay,
    `a decision (${options.join(' | ')}) about ${what}`,
    `soakgate decide ${ref.deployment} ${ref.environment} ${options[0]}`,
  );
  await stay.desk.tell({ is: 'waiting', environment: ref.environment, reason: stay.progress.waitingFor });
  const ask = () => stay.desk.ask(options, decision.do === 'ask' ? decision.unanswered : undefined);
  const { word, by } = await (stay.meanwhile ? stay.meanwhile(ask) : ask());
  waiting(stay, null, null);
  await stay.desk.tell({ is: 'waiting', environment: ref.environment, reason: null });
  stay.progress.health = 'good';
  stay.progress.notes.push(`decided about ${what}: ${word}`);
  if (word === 'continue') return false;
  if (word === 'stop') throw new RollbackRequested(`${what}; decided: stop`, null, by);
  if (Object.hasOwn(stay.input.run.list.fallbacks, word))
    return takeFallback(stay, word, `${what}; decided: ${word}`, by);
  return true;
}

/** A forward fix is walked here and then it goes on; every other fallback leads back. */
async function takeFallback(
  stay: Stay,
  name: string,
  what: string,
  by: VerifiedMessage | null,
): Promise<boolean> {
  const { list } = stay.input.run;
  if (!('forward' in list.fallbacks[name]!)) throw new RollbackRequested(what, name, by);
  if (await goForward(stay, name, what)) return false;
  const decision = await controlActivities(`what to do about fallback ${name}`).decide({
    list,
    trouble: { fallback: name, is: 'fail' },
  });
  return resolve(stay, decision, `fallback ${name}: ${stay.progress.notes.at(-1)}`);
}

export function waiting(stay: Stay, reason: string | null, next: string | null): void {
  stay.progress.waitingFor = reason;
  stay.progress.next = next;
  show(stay.progress, stay.shown);
}
