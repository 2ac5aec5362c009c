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

/**
 * Opens the handlers; `work` handles one message after the other for each environment, and its answer goes to
 * every sender of that nonce. `arrived` hears of each at once, before those in front of it have been handled.
 */
export function openMessages(
  progress: Progress,
  work: (signed: Signed) => Promise<Answer>,
  texts: Partial<Readonly<Record<MessageName, string>>> = messageTexts,
  arrived: (signed: Signed) => void = () => undefined,
): Messages {
  const known = new Set<string>();
  const answers = new Map<string, Answer>();
  // A line for each environment: a worker that is down delays the messages to its own environment only.
  const lines = new Map<string, Promise<void>>();
  const take = (signed: Signed) => {
    const { nonce, environment } = signed.body;
    if (known.has(nonce)) return;
    known.add(nonce);
    arrived(signed);
    const line = (lines.get(environment) ?? Promise.resolve()).then(async () => {
      // A cancelled deployment still answers.
      const answer = CancellationScope.nonCancellable(() => work(signed));
      answers.set(
        nonce,
        await answer.catch((error: unknown) => ({ accepted: false, text: `not answered: ${textOf(error)}` })),
      );
    });
    lines.set(environment, line);
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

function refuseShape(name: string, signed: unknown): void {
  const fault = messageFault(name, signed);
  if (fault) throw ApplicationFailure.nonRetryable(fault, 'MESSAGE_SHAPE');
}
