// Who vouches for the start: everybody who signed the plan, its lists and its commit.
import { signersOf, startLacks } from '../start-signers.ts';
import type { TrustedPerson } from '../trusted-keys.ts';
import { demanded } from '../trusted-keys.ts';
import type { SignedStart } from '../messages.ts';
import { type Case, type Found, type Line, nothing, short, signerOf } from './case.ts';

/**
 * The start is signed for every environment at once, so every environment must know who signed it first, and its
 * guardrail must be met by those whom it knows.
 */
export function vouchStart(subject: Case): Found {
  const { start } = subject.records;
  if (!start) return { ...nothing, faults: ['approvals/start.json: there is no signed start'] };
  const { body } = start;
  const environments = Object.keys(body.lists);
  const faults = [
    ...(body.deployment === subject.manifest.deployment ? [] : [`it is about ${body.deployment}`]),
    ...(environments.length === 0 ? ['it names no environment'] : []),
    ...environments.flatMap((environment) => lacksIn(subject, start, environment) ?? []),
  ];
  const lines = signersOf(start).map((name, place): Line => {
    const found = environments.map((environment) => signerOf(subject, signedBy(start, name), environment));
    const people = found.flatMap((signer) => ('person' in signer ? [signer.person] : []));
    // Whoever signs beside the first is known where it is needed, and nowhere else.
    const own = found.flatMap((signer) =>
      'fault' in signer && (place === 0 || people.length === 0 || !signer.fault.startsWith('unknown key'))
        ? [signer.fault]
        : [],
    );
    const wrong = [...new Set([...own, ...(place === 0 ? faults : [])])];
    return {
      who: name,
      roles: [...new Set(people.flatMap(({ roles }) => roles ?? []))],
      what: `started ${body.deployment}: plan ${short(body.plan)}, commit ${short(body.commit)}`,
      file: 'approvals/start.json and plan.yaml',
      fault: wrong.length > 0 ? wrong.join('; ') : null,
    };
  });
  return { ...nothing, lines };
}

/** The start as this person has signed it. */
function signedBy(start: SignedStart, person: string): SignedStart {
  const { signature } = [start, ...(start.also ?? [])].find((one) => one.person === person) ?? start;
  return { ...start, person, signature };
}

/** What an environment's guardrail misses; null where its file is not among the trusted ones, or names no roles. */
function lacksIn(subject: Case, start: SignedStart, environment: string): string | null {
  const quorum = demanded(subject.keys, environment, 'start');
  const people = signersOf(start).flatMap((name): readonly TrustedPerson[] => {
    const signer = signerOf(subject, signedBy(start, name), environment);
    return 'person' in signer ? [signer.person] : [];
  });
  if (quorum === null || people.some(({ roles }) => roles === null)) return null;
  const missing = startLacks(
    quorum,
    people.map(({ name, roles }) => ({ name, roles: roles ?? [] })),
  );
  return missing === null ? null : `${environment}: ${missing}`;
}

/** Whether the plan that was signed is the one that was compiled here; only then a gate can be looked up in it. */
export function listsFound({ start, lists, check }: Case): Found {
  if (!start) return nothing;
  if (!lists)
    return {
      ...nothing,
      faults: ['plan.yaml: what its gates ask for is not known, because it is not vouched for'],
    };
  const other = Object.entries(start.lists).filter(([environment, hash]) => {
    const list = lists.get(environment);
    return !list || check.hash(list) !== hash;
  });
  return {
    ...nothing,
    notes: other.map(
      ([environment]) =>
        `the list of ${environment} that was signed is not what this version compiles from plan.yaml; ` +
        `check with the version that ran the deployment`,
    ),
  };
}
