// A rollout's desk: commands that came in, questions that wait for people, and what is done at once.
import {
  CancellationScope,
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  setHandler,
} from '@temporalio/workflow';
import type { MessageVerdict } from '../src/core/activities.ts';
import type { VerifiedMessage, Signed } from '../src/core/messages.ts';
import { deploymentWorkflowId } from '../src/core/names.ts';
import type { Command, Fact, RolloutInput } from './contract.ts';
import { failureText } from './failure-text.ts';
import { environmentActivities } from './proxies.ts';

export const commandSignal = defineSignal<[Command]>('command');
export const factSignal = defineSignal<[Fact]>('fact');

export interface Desk {
  /** Set once by abort or rollback: the rollout rolls back. */
  rollBack: {
    readonly why: string;
    readonly fallback: string | null;
    readonly by: VerifiedMessage | null;
  } | null;
  closing: boolean;
  mayProceed: boolean;
  paused: boolean;
  /** Raised by `checkNow`; the soak lowers it. */
  checkNow: boolean;
  extendMs: number;
  /** The question that waits, and its answer. */
  question: { readonly options: readonly string[]; answer: Answered | null } | null;
  /** Waits until no command is waiting or being answered. */
  settled: () => Promise<void>;
  /** Called when something must be interrupted at once. */
  interrupt: () => void;
  /** False when there is no deployment any more. */
  tell: (fact: Fact) => Promise<boolean>;
  /** Waits until people answer, or until the time is over. */
  ask: (
    options: readonly string[],
    unanswered: { readonly afterMs: number; readonly do: string } | undefined,
  ) => Promise<Answered>;
}

/** The word, and who signed it; null where silence decided. */
export interface Answered {
  readonly word: string;
  readonly by: VerifiedMessage | null;
}

/** Opens the desk: handlers first, then the loop that works them off one at a time. */
export function openDesk(input: RolloutInput): Desk {
  const inbox: Command[] = [];
  const work = { busy: false };
  const { rollout } = input.run;
  const parent = getExternalWorkflowHandle(deploymentWorkflowId(rollout.deployment));
  const desk: Desk = {
    rollBack: null,
    closing: false,
    mayProceed: false,
    paused: false,
    checkNow: false,
    extendMs: 0,
    question: null,
    interrupt: () => undefined,
    settled: () => condition(() => inbox.length === 0 && !work.busy),
    // A parent that is gone cannot be told; the rollout goes on.
    tell: (fact) =>
      parent.signal(factSignal, fact).then(
        () => true,
        () => false,
      ),
    ask: async (options, unanswered) => {
      const question: NonNullable<Desk['question']> = { options, answer: null };
      desk.question = question;
      const answered = () => question.answer !== null;
      try {
        if (unanswered)
          await condition(answered, unanswered.afterMs, { summary: `unanswered: ${unanswered.do}` });
        else await condition(answered);
      } finally {
        desk.question = null;
      }
      return question.answer ?? { word: unanswered?.do ?? 'stop', by: null };
    },
  };
  setHandler(commandSignal, (command) => void inbox.push(command), {
    description: 'From the deployment: a signed message, close, or proceed',
  });
  void CancellationScope.nonCancellable(() => workOff(input, desk, inbox, work));
  return desk;
}

async function workOff(
  input: RolloutInput,
  desk: Desk,
  inbox: Command[],
  work: { busy: boolean },
): Promise<void> {
  const answered = new Set<string>();
  for (;;) {
    await condition(() => inbox.length > 0);
    const command = inbox.shift()!;
    work.busy = true;
    if (command.is === 'close') {
      desk.closing = true;
      desk.interrupt();
    } else if (command.is === 'proceed') desk.mayProceed = true;
    else if (command.is === 'stop') {
      desk.rollBack ??= { why: command.why, fallback: null, by: null };
      desk.interrupt();
    } else if (!answered.has(command.signed.body.nonce)) {
      answered.add(command.signed.body.nonce);
      await answerMessage(input, desk, command.signed);
    }
    work.busy = false;
  }
}

async function answerMessage(input: RolloutInput, desk: Desk, signed: Signed): Promise<void> {
  const { rollout } = input.run;
  const summary = `${signed.message} by ${signed.person}`;
  const { start } = input.permit;
  const verdict = await environmentActivities(
    rollout.environment,
    summary,
    input.timing?.heartbeatMs ?? 15_000,
  )
    .verify({
      deployment: rollout.deployment,
      environment: rollout.environment,
      signed,
      expect: { plan: start.body.plan, requester: start.person },
    })
    // What cannot be verified does not count, and the desk goes on.
    .catch((error: unknown): MessageVerdict => ({
      accepted: false,
      person: signed.person,
      roles: [],
      reason: failureText(error),
    }));
  const text = verdict.accepted ? apply(input, desk, signed, verdict) : `refused: ${verdict.reason}`;
  await desk.tell({
    is: 'answered',
    nonce: signed.body.nonce,
    accepted: verdict.accepted && !text.startsWith('refused'),
    text,
  });
}

/** Does what a verified message says; the text is the sender's answer. */
function apply(
  { run }: RolloutInput,
  desk: Desk,
  signed: Signed,
  { person, roles, at }: MessageVerdict,
): string {
  const by: VerifiedMessage = { signed, roles, at: at ?? null };
  switch (signed.message) {
    case 'abort':
    case 'rollback': {
      const fallback =
        signed.message === 'rollback' && typeof signed.body['fallback'] === 'string'
          ? signed.body['fallback']
          : null;
      const ways = Object.entries(run.list.fallbacks).flatMap(([name, way]) =>
        'forward' in way ? [] : [name],
      );
      if (fallback !== null && !ways.includes(fallback))
        return `refused: ${fallback} is no rollback of this plan (there is: ${ways.join(', ') || 'none'})`;
      desk.rollBack ??= {
        why: `${signed.message} by ${person}${typeof signed.body['reason'] === 'string' ? `: ${signed.body['reason']}` : ''}`,
        fallback,
        by,
      };
      desk.interrupt();
      return 'rolling back';
    }
    case 'decide': {
      const word = String(signed.body['decision']);
      if (!desk.question) return 'refused: nothing is asked now';
      if (!desk.question.options.includes(word))
        return `refused: the question is ${desk.question.options.join(' | ')}`;
      desk.question.answer = { word, by };
      return `decided: ${word}`;
    }
    case 'pause':
      desk.paused = true;
      desk.interrupt();
      return 'paused before the next step';
    case 'resume':
      desk.paused = false;
      return 'resumed';
    case 'checkNow':
      desk.checkNow = true;
      desk.interrupt();
      return 'reading now';
    case 'extendSoak':
      desk.extendMs += Number(signed.body['byMs'] ?? 0);
      return 'extended';
    case 'start':
    case 'approve':
    case 'reject':
    case 'attest':
    case 'stopChecks':
      return `refused: ${signed.message} is not for a rollout`;
  }
}
