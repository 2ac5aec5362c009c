// A signature that waits for others answers a question that is asked, in a word that it offers; else its signer hears
// so at once, and not when the last signature is there.
import { expect, test } from 'vitest';
import type { Signed } from '../../src/core/messages.ts';
import { answerWaiting, type Asker } from '../../workflows/ask-person.ts';

const asked = {
  kind: 'decision',
  environment: 'staging',
  about: 'x',
  options: ['continue', 'stop'],
} as const;
const asker = (question: Asker['question']) => ({ question }) as Asker;
const open = asker({ asked, options: asked.options, answer: null });
const signed = (message: string, decision = 'continue') =>
  ({ message, body: { decision } }) as unknown as Signed;
const WAITING = '1 of 2 signatures, waiting for dba';

test('a word of the question, and what is no answer to one, wait', () => {
  expect(answerWaiting(open, signed('decide'), WAITING)).toEqual({ accepted: true, text: WAITING });
  expect(answerWaiting(asker(null), signed('resume'), WAITING)).toEqual({ accepted: true, text: WAITING });
});

test.each([
  ['another word', open, 'contniue', 'refused: the question is continue | stop'],
  ['no question', asker(null), 'continue', 'refused: nothing is asked now'],
  [
    'a question that is decided',
    asker({ asked, options: asked.options, answer: { word: 'stop', by: null } }),
    'continue',
    'refused: it has just been decided: stop',
  ],
])('%s', (_what, place, word, text) => {
  expect(answerWaiting(place, signed('decide', word), WAITING)).toEqual({ accepted: false, text });
});
