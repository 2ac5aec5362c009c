// Who has signed a start: whoever asks for it, and who signs the same words beside that person.
import type { SignedStart } from './messages.ts';
import { type Person, type Quorum, signaturesText } from './quorum.ts';

/** With the requester's own. What carries more is refused before anything of it is looked at. */
export const MOST_SIGNATURES = 16;

const LONGEST = 500;

/** Every name under a start, the requester's first; claimed, until an environment's worker has verified it. */
export function signersOf({ person, also }: Pick<SignedStart, 'person' | 'also'>): readonly string[] {
  const others: readonly unknown[] = Array.isArray(also) ? also : [];
  return [person, ...others.filter(isCoSignature).map((signature) => signature.person)];
}

/** Why the signatures beside the requester's cannot be looked at; null where they can, or where there are none. */
export function alsoFault({
  person,
  signature,
  also,
}: { [Key in keyof SignedStart]?: unknown }): string | null {
  if (also === undefined) return null;
  if (!Array.isArray(also)) return 'also is no list of signatures';
  if (also.length >= MOST_SIGNATURES)
    return `it carries ${also.length + 1} signatures; at most ${MOST_SIGNATURES} are taken`;
  const seen = new Set<unknown>([person, signature]);
  for (const one of also as readonly unknown[]) {
    if (!isCoSignature(one)) return 'also holds what is no signature: each is a person and a signature';
    if (seen.has(one.person)) return `${one.person} signs it twice`;
    if (seen.has(one.signature)) return 'one signature stands in it twice';
    seen.add(one.person).add(one.signature);
  }
  return null;
}

/** What the guardrails still miss when these people have signed a start; null where they are enough. */
export function startLacks(
  quorum: Quorum,
  signers: readonly Pick<Person, 'name' | 'roles'>[],
): string | null {
  const { met, text } = signaturesText(quorum, signers);
  if (met) return null;
  if ('each' in quorum && quorum.each.length > 1)
    return `${text}: run soakgate sign on a start that soakgate start --print has written, before it is started`;
  const wanted = 'any' in quorum ? quorum.any : quorum.each;
  const have = signers.map(({ name, roles }) => `${name} has ${roles.join(', ') || 'none'}`);
  return `needs a role of ${wanted.join(', ')}; ${have.join('; ')}`;
}

function isCoSignature(one: unknown): one is { readonly person: string; readonly signature: string } {
  if (typeof one !== 'object' || one === null) return false;
  const { person, signature, ...rest } = one as Record<string, unknown>;
  return isText(person) && isText(signature) && Object.keys(rest).length === 0;
}

const isText = (value: unknown): boolean =>
  typeof value === 'string' && value.length > 0 && value.length <= LONGEST;
