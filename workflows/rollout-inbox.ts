// A rollout's inbox: commands that its deployment sends, worked off one at a time, and what verified messages
// change at once.
import {
  CancellationScope,
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  setHandler,
} from '@temporalio/workflow';
import { rollbacksOf } from '../src/core/matrix.ts';
import type { VerifiedMessage, Signed } from '../src/core/messages.ts';
import { deploymentWorkflowId } from '../src/core/ids.ts';
import { noRefusals, type Refusals, refuse } from '../src/core/refused.ts';
import type { ClosingStatement, SignedStatement } from '../src/core/statements.ts';
import { environmentActivities } from './activities.ts';
import { answerQuestion, answerWaiting, type Asker, questionOf, refused } from './ask-person.ts';
import type { Command, Fact, RolloutInput } from './contract.ts';
import { type Answer, countMalformed, type Judged, openSignals } from './messages.ts';
import type { Progress } from './progress.ts';
import { isCommand } from './shapes.ts';
import { sifter, takeBatch } from './sifting.ts';

export const commandSignal = defineSignal<[Command]>('command');
export const factSignal = defineSignal<[Fact]>('fact');

/** Why the way forward was left; what rolls back is decided by the fallback. */
export interface RollbackRequest {
  readonly why: string;
  readonly fallback: string | null;
  /** Who chose the fallback, where somebody did. */
  readonly by: VerifiedMessage | null;
}

export interface RolloutInbox {
  /** Set once by abort, rollback or a void permit. */
  rollBack: RollbackRequest | null;
  /** The way forward was left, or walked to its end: neither an abort nor a rollback changes anything now. */
  forwardOver: boolean;
  closing: boolean;
  mayProceed: boolean;
  /** What the worker of the environment before has signed about its end. */
  earlier: SignedStatement<ClosingStatement> | null;
  paused: boolean;
  extendMs: number;
  /** Grows with everything for which an observation is cut short: `checkNow`, `close` and `pause`. */
  stirred: number;
  /** What did not count, for the evidence where the deployment is gone. */
  readonly refusals: Refusals;
  /** Waits until no command is waiting or being answered. */
  settled: () => Promise<void>;
  /** False when there is no deployment any more. */
  notifyDeployment: (fact: Fact) => Promise<boolean>;
}

/** Opens the inbox: handlers first, then the loop that works commands off one at a time. */
export function openInbox(input: RolloutInput, progress: Progress, asker: Asker): RolloutInbox {
  const commands: Command[] = [];
  const work = { busy: false };
  const { rollout } = input.run;
  const parent = getExternalWorkflowHandle(deploymentWorkflowId(rollout.deployment));
  const inbox: RolloutInbox = {
    rollBack: null,
    forwardOver: false,
    closing: false,
    mayProceed: false,
    earlier: null,
    paused: false,
    extendMs: 0,
    stirred: 0,
    refusals: noRefusals(),
    settled: () => condition(() => commands.length === 0 && !work.busy),
    // A parent that is gone cannot be told; the rollout goes on.
    notifyDeployment: (fact) =>
      parent.signal(factSignal, fact).then(
        () => true,
        () => false,
      ),
  };
  setHandler(
    commandSignal,
    (command) => {
      if (isCommand(command)) commands.push(command);
      else countMalformed(progress);
    },
    { description: 'From the deployment: a signed message, close, or proceed' },
  );
  openSignals(progress);
  const answered = new Set<string>();
  const place: Place = { input, inbox, asker, progress, answered, sifted: new WeakSet() };
  void CancellationScope.nonCancellable(async () => {
    for (;;) {
      await condition(() => commands.length > 0);
      work.busy = true;
      await siftFront(place, commands);
      const command = commands.shift();
      if (command) await takeCommand(place, command);
      work.busy = false;
    }
  });
  return inbox;
}

interface Place {
  readonly input: RolloutInput;
  readonly inbox: RolloutInbox;
  readonly asker: Asker;
  readonly progress: Progress;
  /** Nonces. */
  readonly answered: Set<string>;
  /** Messages that wait to be verified by themselves. */
  readonly sifted: WeakSet<Command>;
}

type MessageCommand = Extract<Command, { readonly is: 'message' }>;

/** Takes those out of the messages in front that cannot count, where several stand there. */
async function siftFront(place: Place, commands: Command[]): Promise<void> {
  const { input, inbox, progress, answered, sifted } = place;
  const { deployment, environment } = input.run.rollout;
  const end = commands.findIndex(({ is }) => is !== 'message');
  const front = commands.slice(0, end === -1 ? undefined : end) as MessageCommand[];
  if (front.length < 2 || sifted.has(front[0]!)) return;
  const batch = takeBatch(front, ({ signed }) => signed);
  if (!batch) return;
  commands.splice(0, batch.taken.length);
  // The same nonce again is the same message.
  const seen = new Set(answered);
  const fresh = batch.taken.filter(({ signed: { body } }) => !seen.has(body.nonce) && seen.add(body.nonce));
  const signed = fresh.map((command) => command.signed);
  const faults = await sifter(deployment, environment, input.timing)({ ...batch, taken: signed });
  const kept = fresh.filter((_, at) => (faults[at] ?? null) === null);
  for (const command of kept) sifted.add(command);
  commands.unshift(...kept);
  const answers = signed.flatMap(({ body }, at) =>
    typeof faults[at] === 'string' ? [{ nonce: body.nonce, why: faults[at] }] : [],
  );
  if (answers.length === 0) return;
  for (const { nonce } of answers) answered.add(nonce);
  progress.dropped = (progress.dropped ?? 0) + answers.length;
  await inbox.notifyDeployment({ is: 'dropped', answers });
}

async function takeCommand(place: Place, command: Command): Promise<void> {
  const { inbox, answered } = place;
  if (command.is === 'close') {
    inbox.closing = true;
    inbox.stirred += 1;
  } else if (command.is === 'proceed') {
    inbox.mayProceed = true;
    inbox.earlier = command.earlier ?? null;
  } else if (command.is === 'stop')
    inbox.rollBack ??= { why: `${command.why} (an unsigned stop)`, fallback: null, by: null };
  else if (!answered.has(command.signed.body.nonce)) {
    answered.add(command.signed.body.nonce);
    const { signed } = command;
    const { accepted, text, known } = await answerMessage(place, signed);
    if (!accepted) refuse(inbox.refusals, signed, text, known === true);
    const told = await inbox.notifyDeployment({
      is: 'answered',
      nonce: signed.body.nonce,
      accepted,
      text,
      ...(known && { known }),
    });
    if (!told) place.progress.notes.push(`${signed.message} by ${signed.person}: ${text}`);
  }
}

async function answerMessage(place: Place, signed: Signed): Promise<Judged> {
  const { input, asker } = place;
  const { rollout } = input.run;
  const { start } = input.permit;
  const verdict = await environmentActivities(
    rollout.environment,
    `${signed.message} by ${signed.person}`,
    input.timing,
    'verify',
  ).verify({
    deployment: rollout.deployment,
    environment: rollout.environment,
    signed,
    expect: { plan: start.body.plan, requester: start.person, ...questionOf(asker) },
  });
  // What cannot be verified does not count, and the next one is taken.
  if ('failed' in verdict) return refused(verdict.failed.text);
  const { accepted: counts, reason, person, roles, at, waiting, others } = verdict.ok;
  if (waiting !== undefined) return answerWaiting(asker, signed, waiting);
  if (!counts) return refused(reason);
  return {
    ...apply(place, { signed, roles, at: at ?? null, ...(others && { others }) }, person),
    known: true,
  };
}

/** Does what a verified message says; the text is the sender's answer. */
function apply({ input, inbox, asker }: Place, by: VerifiedMessage, person: string): Answer {
  const { signed } = by;
  switch (signed.message) {
    case 'abort':
      return goBack(inbox, asker, by, person, null);
    case 'rollback': {
      const wanted = signed.body['fallback'];
      const fallback = typeof wanted === 'string' ? wanted : null;
      const ways = rollbacksOf(input.run.list);
      if (fallback !== null && !ways.includes(fallback))
        return refused(`${fallback} is no rollback of this plan (there is: ${ways.join(', ') || 'none'})`);
      return goBack(inbox, asker, by, person, fallback);
    }
    case 'decide':
      return answerQuestion(asker, by);
    case 'pause':
      inbox.paused = true;
      inbox.stirred += 1;
      return accepted('paused before the next step');
    case 'resume':
      inbox.paused = false;
      return accepted('resumed');
    case 'checkNow':
      inbox.stirred += 1;
      return accepted('reading now');
    case 'extendSoak': {
      const byMs = Number(signed.body['byMs'] ?? 0);
      if (!Number.isFinite(byMs) || byMs < 0) return refused('it does not say by how long');
      inbox.extendMs += byMs;
      return accepted('extended');
    }
    case 'start':
    case 'approve':
    case 'reject':
    case 'attest':
    case 'stopChecks':
      return refused(`${signed.message} is not for a rollout`);
  }
}

function goBack(
  inbox: RolloutInbox,
  asker: Asker,
  by: VerifiedMessage,
  person: string,
  fallback: string | null,
): Answer {
  if (inbox.forwardOver) {
    const { deployment, environment } = by.signed.body;
    const options = asker.question?.options;
    return refused(
      options
        ? `the rollback waits for a decision (${options.join(' | ')}); soakgate decide ${deployment} ` +
            `${environment} ${options[0]}`
        : `the rollout in ${environment} is already rolling back or closing; soakgate status ` +
            `${deployment} shows how far it is`,
    );
  }
  const { message, body } = by.signed;
  const reason = typeof body['reason'] === 'string' ? `: ${body['reason']}` : '';
  inbox.rollBack ??= { why: `${message} by ${person}${reason}`, fallback, by };
  return accepted('rolling back');
}

const accepted = (text: string): Answer => ({ accepted: true, text });
