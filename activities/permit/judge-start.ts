// Who has signed a start that counts here: the person who asks for it, and whoever signed the same words beside.
import { alsoFault, startLacks } from '../../src/core/start-signers.ts';
import type { SignedStart } from '../../src/core/messages.ts';
import type { Person } from '../../src/core/quorum.ts';
import { type Judge, judgePerson } from './verify.ts';

export type StartVerdict =
  /** Everybody of this environment who has signed it, the requester first. */
  { readonly signers: readonly Person[] } | { readonly refused: string };

const ANYBODY = { any: [] };

/**
 * Whether this environment's people have signed a start as its guardrails ask. People whom it does not know are
 * dropped before anything is computed: other environments may know them. A bad signature under a known name is
 * refused, for that person would otherwise be held for a requester.
 */
export function judgeStart(world: Judge, start: SignedStart): StartVerdict {
  const { settings } = world;
  const by = `start by ${start.person}`;
  const fault = alsoFault(start);
  if (fault !== null) return { refused: `${by}: ${fault}` };
  const signers: Person[] = [];
  for (const { person: name, signature } of [start, ...(start.also ?? [])]) {
    const person = settings.people.find((candidate) => candidate.name === name);
    if (!person && name !== start.person) continue;
    const verdict = judgePerson(world, { ...start, person: name, signature }, 'start', ANYBODY);
    if (!verdict.accepted)
      return { refused: `${by}${name === start.person ? '' : `, signed by ${name}`}: ${verdict.reason}` };
    signers.push(person!);
  }
  const missing = startLacks(settings.guardrails.start, signers);
  return missing === null ? { signers } : { refused: `${by}: ${missing}` };
}
