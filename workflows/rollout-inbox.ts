// A rollout's inbox: commands that came in, questions that wait for people, and what is done at once.
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
import { environmentActivities } from './activities.ts';

export const commandSignal = defineSignal<[Command]>('command');
export const factSignal = defineSignal<[Fact]>('fact');

export interface RolloutInbox {
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
  notifyDeployment: (fact: Fact) => Promise<boolean>;
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

/** Opens the inbox: handlers first, then the loop that works them off one at a time. */
export function openInbox(input: RolloutInput): RolloutInbox {
  const commands: Command[] = [];
  const work = { busy: false };
  const { rollout } = input.run;
  const parent = getExternalWorkflowHandle(deploymentWorkflowId(rollout.deployment));
  const inbox: RolloutInbox = {
    rollBack: null,
    closing: false,
    mayProceed: false,
    paused: false,
    checkNow: false,
    extendMs: 0,
    question: null,
    interrupt: () => undefined,
    settled: () => condition(() => commands.length === 0 && !work.busy),
    // A parent that is gone cannot be notified; the rollout goes on.
    notifyDeployment: (fact) =>
      parent.signal(factSignal, fact).then(
        () => true,
        () => false,
      ),
    ask: async (options, unanswered) => {
      const question: NonNullable<RolloutInbox['question']> = { options, answer: null };
      inbox.question = question;
      const answered = () => question.answer !== null;
      try {
        if (unanswered)
          await condition(answered, unanswered.afterMs, { summary: `unanswered: ${unanswered.do}` });
        else await condition(answered);
      } finally {
        inbox.question = null;
      }
      return question.answer ?? { word: unanswered?.do ?? 'stop', by: null };
    },
  };
  setHandler(commandSignal, (command) => void commands.push(command), {
    description: 'From the deployment: a signed message, close, or proceed',
  });
  void CancellationScope.nonCancellable(() => workOff(input, inbox, commands, work));
  return inbox;
}

async function workOff(
  input: RolloutInput,
  inbox: RolloutInbox,
  commands: Command[],
  work: { busy: boolean },
): Promise<void> {
  const answered = new Set<string>();
  for (;;) {
    await condition(() => commands.length > 0);
    const command = commands.shift()!;
    work.busy = true;
    if (command.is === 'close') {
      inbox.closing = true;
      inbox.interrupt();
    } else if (command.is === 'proceed') inbox.mayProceed = true;
    else if (command.is === 'stop') {
      inbox.rollBack ??= { why: command.why, fallback: null, by: null };
      inbox.interrupt();
    } else if (!answered.has(command.signed.body.nonce)) {
      answered.add(command.signed.body.nonce);
      await answerMessage(input, inbox, command.signed);
    }
    work.busy = false;
  }
}

async function answerMessage(input: RolloutInput, inbox: RolloutInbox, signed: Signed): Promise<void> {
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
    // What cannot be verified does not count, and the inbox goes on.
    .catch((error: unknown): MessageVerdict => ({
      accepted: false,
      person: signed.person,
      roles: [],
      reason: failureText(error),
    }));
  const text = verdict.accepted ? apply(input, inbox, signed, verdict) : `refused: ${verdict.reason}`;
  await inbox.notifyDeployment({
    is: 'answered',
    nonce: signed.body.nonce,
    accepted: verdict.accepted && !text.startsWith('refused'),
    text,
  });
}

/** Does what a verified message says; the text is the sender's answer. */
function apply(
  { run }: RolloutInput,
  inbox: RolloutInbox,
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
      inbox.rollBack ??= {
        why: `${signed.message} by ${person}${typeof signed.body['reason'] === 'string' ? `: ${signed.body['reason']}` : ''}`,
        fallback,
        by,
      };
      inbox.interrupt();
      return 'rolling back';
    }
    case 'decide': {
      const word = String(signed.body['decision']);
      if (!inbox.question) return 'refused: nothing is asked now';
      if (!inbox.question.options.includes(word))
        return `refused: the question is ${inbox.question.options.join(' | ')}`;
      inbox.question.answer = { word, by };
      return `decided: ${word}`;
    }
    case 'pause':
      inbox.paused = true;
      inbox.interrupt();
      return 'paused before the next step';
    case 'resume':
      inbox.paused = false;
      return 'resumed';
    case 'checkNow':
      inbox.checkNow = true;
      inbox.interrupt();
      return 'reading now';
    case 'extendSoak':
      inbox.extendMs += Number(signed.body['byMs'] ?? 0);
      return 'extended';
    case 'start':
    case 'approve':
    case 'reject':
    case 'attest':
    case 'stopChecks':
      return `refused: ${signed.message} is not for a rollout`;
  }
}
