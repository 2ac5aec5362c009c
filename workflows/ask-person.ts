// The one way to ask a person: the question stands where its waiting reason is shown, and is answered by
// `decide` or by silence.
import { condition } from '@temporalio/workflow';
import type { Signed, VerifiedMessage } from '../src/core/messages.ts';
import type { Asked, Waiting } from '../src/core/waiting.ts';
import type { Timing } from './contract.ts';
import type { Answer } from './messages.ts';

/** A place where one question at a time can wait: a rollout, or a gate. */
export interface Asker {
  question: Question | null;
  /** Shows what is waited for here; null when nothing is any more. */
  readonly show: (waiting: Waiting | null) => Promise<void>;
  /** Until the first repetition of what fails here. */
  readonly firstWaitMs: number;
}

const FIRST_WAIT_MS = 5_000;

export const newAsker = (show: Asker['show'], timing: Timing | undefined): Asker => ({
  question: null,
  show,
  firstWaitMs: timing?.retryMs ?? FIRST_WAIT_MS,
});

interface Question {
  /** As it is shown. */
  readonly asked: Asked;
  readonly options: readonly string[];
  answer: Answered | null;
}

/** The word, and who signed it; null where silence decided. */
export interface Answered {
  readonly word: string;
  readonly by: VerifiedMessage | null;
}

/** What happens when nobody answers in time. */
export interface Unanswered {
  readonly afterMs: number;
  readonly do: string;
}

/**
 * Waits until people answer, or until the time is over. A question that is of no use any more is answered by
 * nobody, with `withdrawn`.
 * @throws CancelledFailure when its scope is cancelled.
 */
export async function askPerson(
  asker: Asker,
  asked: Asked,
  unanswered?: Unanswered,
  withdrawn: () => boolean = () => false,
): Promise<Answered> {
  const question: Question = { asked, options: asked.options, answer: null };
  asker.question = question;
  await asker.show(asked);
  try {
    const answered = () => question.answer !== null || withdrawn();
    if (unanswered)
      await condition(answered, unanswered.afterMs, { summary: `unanswered: ${unanswered.do}` });
    else await condition(answered);
  } finally {
    asker.question = null;
  }
  await asker.show(null);
  return question.answer ?? { word: withdrawn() ? 'withdrawn' : (unanswered?.do ?? 'stop'), by: null };
}

/** Takes a verified `decide`; its text is the sender's answer. */
export function answerQuestion({ question }: Asker, by: VerifiedMessage): Answer {
  const word = String(by.signed.body['decision']);
  const why = unanswerable(question, word);
  if (why !== null || !question) return refused(why ?? 'nothing is asked now');
  question.answer = { word, by };
  return { accepted: true, text: `decided: ${word}` };
}

/** Why the word answers nothing here; null where it would. */
function unanswerable(question: Question | null, word: string): string | null {
  if (!question) return 'nothing is asked now';
  if (!question.options.includes(word)) return `the question is ${question.options.join(' | ')}`;
  return question.answer ? `it has just been decided: ${question.answer.word}` : null;
}

/** The answer to a signature that waits for others: a word that answers nothing is refused before they sign it, too. */
export function answerWaiting({ question }: Asker, { message, body }: Signed, waiting: string): Answer {
  const why = message === 'decide' ? unanswerable(question, String(body['decision'])) : null;
  return why === null ? { accepted: true, text: waiting } : refused(why);
}

/** The question as one text, so that signatures that count together are about the same; nothing where none waits. */
export const questionOf = ({ question }: Asker): { readonly question?: string } =>
  question ? { question: JSON.stringify(question.asked) } : {};

/** An answer that says why a message does not count. */
export const refused = (why: string): Answer => ({ accepted: false, text: `refused: ${why}` });
