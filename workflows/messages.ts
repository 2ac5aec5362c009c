// How messages come into a workflow. Updates answer, signals of the same names wait for a worker; each is
// worked off once, and what
// nobody can read is counted and changes nothing.
import { ApplicationFailure } from '@temporalio/common';
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  defineSignal,
  defineUpdate,
  setDefaultSignalHandler,
  setHandler,
} from '@temporalio/workflow';
import type { MessageName, Signed } from '../src/core/messages.ts';
import { textOf } from './activities.ts';
import type { Progress } from './progress.ts';
import { messageFault } from './shapes.ts';
import { type Batch, type Sift, takeBatch } from './sifting.ts';

/** Name → what it does and the command that prints the JSON to paste into the Web UI. */
export const messageTexts: Readonly<Record<Exclude<MessageName, 'start' | 'stopChecks'>, string>> = {
  approve: 'Signed approval of the gate report. JSON: soakgate approve DEPLOYMENT ENVIRONMENT --print',
  reject: 'Signed rejection at the gate. JSON: soakgate reject DEPLOYMENT ENVIRONMENT --print',
  attest: 'Signed statement about something outside. JSON: soakgate attest DEPLOYMENT ENVIRONMENT ID --print',
  decide:
    'Signed answer to the question that waits. JSON: soakgate decide DEPLOYMENT ENVIRONMENT WORD --print',
  pause: 'Signed; waits before the next step. JSON: soakgate pause DEPLOYMENT ENVIRONMENT --print',
  resume: 'Signed; continues after a pause. JSON: soakgate resume DEPLOYMENT ENVIRONMENT --print',
  abort:
    'Signed; undoes every change in this environment. JSON: soakgate abort DEPLOYMENT ENVIRONMENT --print',
  rollback: 'Signed; rolls back by a fallback. JSON: soakgate rollback DEPLOYMENT ENVIRONMENT --print',
  checkNow: 'Signed; samples all monitors now. JSON: soakgate check-now DEPLOYMENT ENVIRONMENT --print',
  extendSoak: 'Signed; extends the soak. JSON: soakgate extend-soak DEPLOYMENT ENVIRONMENT 1d --print',
};

/** What post-deployment checks take. */
export const afterwardsTexts: Partial<Readonly<Record<MessageName, string>>> = {
  checkNow: messageTexts.checkNow,
  stopChecks:
    'Signed; stops the post-deployment checks. JSON: soakgate stop-checks DEPLOYMENT ENVIRONMENT --print',
};

export interface Answer {
  readonly accepted: boolean;
  readonly text: string;
}

/** An answer, and whether the environment had found the signature good before something else refused the message. */
export interface Judged extends Answer {
  readonly known?: boolean;
}

export interface Messages {
  /** Waits until every message has been worked off and its sender answered. */
  settled(): Promise<void>;
}

/** Counts what nobody can read. */
export function countMalformed(progress: Progress): void {
  progress.malformed += 1;
}

/**
 * Signals of unknown names are counted as well; updates and queries of unknown names the SDK refuses by
 * itself.
 */
export function openSignals(progress: Progress): void {
  setDefaultSignalHandler(() => countMalformed(progress));
}

/** What a workflow does with its messages. */
export interface Desk {
  /** Handles one message after the other for each environment; its answer goes to every sender of that nonce. */
  readonly work: (signed: Signed) => Promise<Answer>;
  /** For messages to this environment; null where there is none. */
  readonly sift: (environment: string) => Sift | null;
  /** Hears of each at once, before those in front of it have been handled. */
  readonly arrived?: (signed: Signed) => void;
  /** Hears of each that was sifted out. */
  readonly dropped?: (signed: Signed, why: string) => void;
  readonly texts?: Partial<Readonly<Record<MessageName, string>>>;
}

/** Opens the handlers. */
export function openMessages(progress: Progress, desk: Desk): Messages {
  const { arrived = () => undefined, texts = messageTexts } = desk;
  const known = new Set<string>();
  const answers = new Map<string, Answer>();
  // A line for each environment: a worker that is down delays the messages to its own environment only.
  const lines = new Map<string, Signed[]>();
  const take = (signed: Signed) => {
    const { nonce, environment } = signed.body;
    if (known.has(nonce)) return;
    known.add(nonce);
    arrived(signed);
    const line = lines.get(environment);
    if (line) return void line.push(signed);
    const opened = [signed];
    lines.set(environment, opened);
    // A moment later: what comes with it stands behind it by then.
    void Promise.resolve().then(() => workOff(desk, opened, answers, () => lines.delete(environment)));
  };
  for (const [name, description] of Object.entries(texts)) {
    setHandler(
      defineUpdate<Answer, [Signed]>(name),
      async (signed) => {
        take(signed);
        const { nonce } = signed.body;
        // A cancelled deployment still answers, and what counted is never called refused.
        await CancellationScope.nonCancellable(() => condition(() => answers.has(nonce)));
        return answers.get(nonce)!;
      },
      { description, validator: (signed) => refuseShape(name, signed) },
    );
    setHandler(
      defineSignal<[Signed]>(name),
      (signed) => {
        if (messageFault(name, signed) === null) take(signed);
        else countMalformed(progress);
      },
      { description },
    );
  }
  openSignals(progress);
  return { settled: () => condition(() => known.size === answers.size && allHandlersFinished()) };
}

/** Until nobody stands in the line any more; `done` is called in that very moment. */
async function workOff(
  desk: Desk,
  line: Signed[],
  answers: Map<string, Answer>,
  done: () => void,
): Promise<void> {
  // Those that stand in front and were sifted already.
  let sifted = 0;
  while (line.length > 0) {
    const sift = sifted === 0 && line.length > 1 ? desk.sift(line[0]!.body.environment) : null;
    const batch = sift && takeBatch(line, (signed) => signed);
    if (sift && batch) {
      const left = await siftOut(desk, sift, batch, answers);
      line.unshift(...left);
      sifted = left.length;
      continue;
    }
    const signed = line.shift()!;
    sifted = Math.max(0, sifted - 1);
    // A cancelled deployment still answers.
    const answer = CancellationScope.nonCancellable(() => desk.work(signed));
    answers.set(
      signed.body.nonce,
      await answer.catch((error: unknown) => ({ accepted: false, text: `not answered: ${textOf(error)}` })),
    );
  }
  done();
}

/** Answers those that cannot count; the others are left. */
async function siftOut(
  desk: Desk,
  sift: Sift,
  batch: Batch<Signed>,
  answers: Map<string, Answer>,
): Promise<readonly Signed[]> {
  const faults = await CancellationScope.nonCancellable(() => sift(batch));
  return batch.taken.filter((signed, at) => {
    const fault = faults[at] ?? null;
    if (fault === null) return true;
    answers.set(signed.body.nonce, { accepted: false, text: `refused: ${fault}` });
    desk.dropped?.(signed, fault);
    return false;
  });
}

function refuseShape(name: string, signed: unknown): void {
  const fault = messageFault(name, signed);
  if (fault) throw ApplicationFailure.nonRetryable(fault, 'MESSAGE_SHAPE');
}
