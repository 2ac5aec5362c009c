// Whose word counts together: how many people, of which roles.
import { count } from './count.ts';

/** `any`: one person with one of these roles. `each`: one person for each role. */
export type Quorum = { readonly any: readonly string[] } | { readonly each: readonly string[] };

export interface Person {
  readonly name: string;
  readonly key: string;
  readonly roles: readonly string[];
}

/** Whether these people, each with roles, satisfy a quorum; one person never fills two places. */
export function quorumMet(
  quorum: Quorum,
  people: readonly Pick<Person, 'name' | 'roles'>[],
): { met: boolean; missing: readonly string[] } {
  if ('any' in quorum) {
    const met =
      quorum.any.length === 0 ||
      people.some((person) => person.roles.some((role) => quorum.any.includes(role)));
    return { met, missing: met ? [] : [`one of ${quorum.any.join(', ')}`] };
  }
  const filled: string[] = [];
  const missing = quorum.each.filter((role) => {
    const fits = fill([...filled, role], people, new Set());
    if (fits) filled.push(role);
    return !fits;
  });
  return { met: missing.length === 0, missing };
}

/** How full a quorum is: `1 of 2 signatures, waiting for dba`, or `2 of 2 signatures`. */
export function signaturesText(
  quorum: Quorum,
  people: readonly Pick<Person, 'name' | 'roles'>[],
): { readonly met: boolean; readonly text: string } {
  const { met, missing } = quorumMet(quorum, people);
  const wanted = 'any' in quorum ? 1 : Math.max(quorum.each.length, 1);
  const there = `${wanted - missing.length} of ${count(wanted, 'signature')}`;
  return { met, text: met ? there : `${there}, waiting for ${missing.join(', ')}` };
}

/** A place for each role, by different people: small numbers, so a plain search is exact. */
function fill(
  roles: readonly string[],
  people: readonly Pick<Person, 'name' | 'roles'>[],
  used: ReadonlySet<string>,
): boolean {
  const [role, ...rest] = roles;
  if (role === undefined) return true;
  return people.some(
    (person) =>
      person.roles.includes(role) &&
      !used.has(person.name) &&
      fill(rest, people, new Set([...used, person.name])),
  );
}
