// A file of what somebody has signed with --print: read, and held to its shape.
import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { asUsage, Problem } from '../client/problem.ts';
import type { Signed, SignedStart, StartBody } from '../core/messages.ts';
import { alsoFault } from '../core/start-signers.ts';

const HOW = 'soakgate start PLAN --as YOU --print makes one';
const NAME_IT = 'name the file that soakgate start --print has written';

/** The text of the file; `-` reads stdin. */
export const readSignedFile = (file: string): Promise<string> =>
  asUsage(() => (file === '-' ? readAll(process.stdin) : readFile(file, 'utf8')), NAME_IT);

/** The signed start in a text. @throws Problem when it is none, or its signatures could not be looked at. */
export function startIn(text: string, file: string): SignedStart {
  const signed = jsonIn<Partial<SignedStart> | null>(text, file);
  const body: Partial<StartBody> | undefined = signed?.body;
  const texts = [
    signed?.person,
    signed?.signature,
    body?.deployment,
    body?.planText,
    body?.planFile,
    body?.plan,
    body?.commit,
    body?.nonce,
  ];
  const whole = texts.every((part) => typeof part === 'string') && body?.lists && body.files;
  if (signed?.message !== 'start' || !whole) throw new Problem('usage', `${file} is not a signed start`, HOW);
  const fault = alsoFault(signed);
  if (fault !== null) throw new Problem('usage', `${file} is refused: ${fault}`, HOW);
  return signed as SignedStart;
}

/** The message in a text, where it is not a start; null where it is one, or nothing that was signed. */
export function otherMessageIn(text: string, file: string): Signed | null {
  const signed = jsonIn<Partial<Signed> | null>(text, file);
  return typeof signed?.message === 'string' && signed.message !== 'start' ? (signed as Signed) : null;
}

function jsonIn<T>(text: string, file: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new Problem('usage', `${file} is no JSON: ${(error as Error).message}`, NAME_IT);
  }
}
