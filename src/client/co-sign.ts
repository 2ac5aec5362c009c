// Signing a start beside the person who asks for it: the same words, with the own name and key, once.
import type { KeyObject } from 'node:crypto';
import type { SignedStart } from '../core/messages.ts';
import { signaturesText } from '../core/quorum.ts';
import { MOST_SIGNATURES, signersOf } from '../core/start-signers.ts';
import type { EnvironmentSettings } from '../io/settings.ts';
import { publicText, signMessage, verifyMessage } from '../io/trust.ts';
import { Problem } from './problem.ts';

/** What an environment's file says of a start as it is signed now. */
export interface Standing {
  readonly environment: string;
  /** Whether its worker would take the start. */
  readonly met: boolean;
  /** `1 of 2 signatures, waiting for lead` */
  readonly text: string;
}

/** Refuses, before anything is shown, what would be no further signature. @throws Problem */
export function refuseSecond(start: SignedStart, person: string, key: KeyObject): void {
  const { deployment, expires } = start.body;
  if (!(Date.parse(expires) > Date.now()))
    throw new Problem(
      'usage',
      `the start of ${deployment} was valid until ${expires}`,
      'begin again with soakgate start PLAN --as YOU --print',
    );
  const signers = signersOf(start);
  if (signers.includes(person))
    throw new Problem(
      'conflict',
      `${person} has signed the start of ${deployment} already`,
      'let somebody else sign',
    );
  const own = publicText(key);
  const twin = each(start).find((signature) => verifyMessage({ ...start, ...signature }, own));
  if (twin)
    throw new Problem(
      'conflict',
      `this key has signed the start of ${deployment} already, as ${twin.person}`,
      'one key is one person: sign with your own, --key FILE',
    );
  if (signers.length >= MOST_SIGNATURES)
    throw new Problem(
      'usage',
      `it carries ${signers.length} signatures; at most ${MOST_SIGNATURES} are taken`,
    );
}

/** The start with one signature more. */
export function coSign(start: SignedStart, person: string, key: KeyObject): SignedStart {
  const { message, body, signature, also = [] } = start;
  const own = signMessage(key, 'start', person, body);
  return {
    message,
    person: start.person,
    body,
    signature,
    also: [...also, { person, signature: own.signature }],
  };
}

/**
 * How many of the signatures that an environment asks for are there, by its file. @throws Problem when one of
 * them is not by the key that the file names.
 */
export function standingIn(start: SignedStart, settings: EnvironmentSettings): Standing {
  const { environment, people, guardrails } = settings;
  const known = each(start).flatMap(({ person: name, signature }) => {
    const person = people.find((candidate) => candidate.name === name);
    if (!person) return [];
    if (verifyMessage({ ...start, person: name, signature }, person.key)) return [person];
    throw new Problem(
      'not-allowed',
      `the signature of ${name} is not by the key that ${environment} names`,
      'its worker would refuse the start; soakgate key show prints the public half of a key',
    );
  });
  if (!known.some(({ name }) => name === start.person))
    return {
      environment,
      met: false,
      text: `${environment} knows no person ${start.person}, who asks for it`,
    };
  return { environment, ...signaturesText(guardrails.start, known) };
}

const each = ({ person, signature, also = [] }: SignedStart) => [{ person, signature }, ...also];
