// Which signatures count together: those of the same words, whatever each signer says for himself.
import { canonical } from './canonical.ts';
import type { Signed } from './messages.ts';

/** What signers say for themselves; all else must be the same. */
const OWN_WORDS: readonly string[] = ['nonce', 'signedAt', 'expires', 'reason', 'comment', 'loses'];

/** The words that a message shares with others, as one text; `question` is what they answer. */
export function sharedWords({ message, body }: Signed, question = ''): string {
  const same = Object.entries(body).filter(([key]) => !OWN_WORDS.includes(key));
  return canonical({ message, question, body: Object.fromEntries(same) });
}

/** What only stops, undoes without loss or looks needs one person. */
export function needsOnePerson({ message, body }: Signed): boolean {
  if (message === 'decide') return body['decision'] === 'stop';
  if (message === 'rollback') return typeof body['fallback'] !== 'string';
  return message !== 'resume';
}
