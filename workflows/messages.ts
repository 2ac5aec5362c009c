// The messages of a deployment, and of the post-deployment checks that outlives it. Updates answer, signals of the same names wait for a worker; each is worked off once.
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  defineSignal,
  defineUpdate,
  setHandler,
} from '@temporalio/workflow';
import { ApplicationFailure } from '@temporalio/common';
import type { MessageName, Signed } from '../src/core/messages.ts';
import { failureText } from './failure-text.ts';

/** Name → what it does and the command that prints the JSON to paste into the Web UI. */
export const messageTexts: Readonly<Record<Exclude<MessageName, 'start' | 'stopChecks'>, string>> = {
  approve: 'Signed approval of the gate report. JSON: soakgate approve DEPLOYMENT ENVIRONMENT --print',
  reject: 'Signed rejection at the gate. JSON: soakgate reject DEPLOYMENT ENVIRONMENT --print',
  attest: 'Signed statement about something outside. JSON: soakgate attest DEPLOYMENT ENVIRONMENT ID --print',
  decide:
    'Signed answer to the question that waits. JSON: soakgate decide DEPLOYMENT ENVIRONMENT WORD --print',
  pause: 'Signed; waits before the next step. JSON: soakgate pause DEPLOYMENT ENVIRONMENT --print',
  resume: 'Signed; goes on after a pause. JSON: soakgate resume DEPLOYMENT ENVIRONMENT --print',
  abort: 'Signed; undoes what this environment did. JSON: soakgate abort DEPLOYMENT ENVIRONMENT --print',
  rollback: 'Signed; rolls back by a fallback. JSON: soakgate rollback DEPLOYMENT ENVIRONMENT --print',
  checkNow: 'Signed; reads all monitors at once. JSON: soakgate check-now DEPLOYMENT ENVIRONMENT --print',
  extendSoak: 'Signed; lengthens the soak. JSON: soakgate extend-soak DEPLOYMENT ENVIRONMENT 1d --print',
};

/** What a post-deployment checks is told. */
export const afterwardsTexts: Partial<Readonly<Record<MessageName, string>>> = {
  checkNow: messageTexts.checkNow,
  stopChecks:
    'Signed; stop the post-deployment checks. JSON: soakgate stop-checks DEPLOYMENT ENVIRONMENT --print',
};

const LARGEST_MESSAGE = 32_768;

export interface Answer {
  readonly accepted: boolean;
  readonly text: string;
}

export interface Messages {
  /** Waits until every message has been worked off and its sender answered. */
  settled(): Promise<void>;
}

/** Opens the messages; `work` handles one message after the other for each environment, and its answer goes to every sender of that nonce. */
export function openMessages(
  work: (signed: Signed) => Promise<Answer>,
  texts: Partial<Readonly<Record<MessageName, string>>> = messageTexts,
): Messages {
  const known = new Set<string>();
  const answers = new Map<string, Answer>();
  // A line for each environment: a worker that is down delays the messages to its own environment only.
  const lines = new Map<string, Promise<void>>();
  const take = (signed: Signed) => {
    const { nonce, environment } = signed.body;
    if (known.has(nonce)) return;
    known.add(nonce);
    const line = (lines.get(environment) ?? Promise.resolve()).then(async () => {
      // A cancelled deployment still answers.
      const answer = CancellationScope.nonCancellable(() => work(signed));
      answers.set(
        nonce,
        await answer.catch((error: unknown) => ({
          accepted: false,
          text: `not answered: ${failureText(error)}`,
        })),
      );
    });
    lines.set(environment, line);
  };
  for (const [name, description] of Object.entries(texts)) {
    const validator = (signed: Signed) => refuseShape(name, signed);
    setHandler(
      defineUpdate<Answer, [Signed]>(name),
      async (signed) => {
        take(signed);
        await condition(() => answers.has(signed.body.nonce));
        return answers.get(signed.body.nonce)!;
      },
      { description, validator },
    );
    setHandler(
      defineSignal<[Signed]>(name),
      (signed) => void (shapeFault(name, signed) === null && take(signed)),
      { description },
    );
  }
  return { settled: () => condition(() => known.size === answers.size && allHandlersFinished()) };
}

function refuseShape(name: string, signed: unknown): void {
  const fault = shapeFault(name, signed);
  if (fault) throw ApplicationFailure.nonRetryable(fault, 'MESSAGE_SHAPE');
}

/** Shape and size only; who signed is asked of the environment's worker. */
function shapeFault(name: string, candidate: unknown): string | null {
  const signed = candidate as Partial<Signed> | null;
  if (typeof signed !== 'object' || signed === null)
    return `expected one JSON object, as soakgate ${name} --print gives it`;
  if (signed.message !== name) return `this is a ${String(signed.message)}, not a ${name}`;
  const { body } = signed;
  const texts = [
    signed.person,
    signed.signature,
    body?.deployment,
    body?.environment,
    body?.nonce,
    body?.expires,
  ];
  if (texts.some((text) => typeof text !== 'string' || text.length === 0))
    return 'person, signature, body.deployment, body.environment, body.nonce and body.expires must be texts';
  return JSON.stringify(signed).length > LARGEST_MESSAGE ? `larger than ${LARGEST_MESSAGE} characters` : null;
}
