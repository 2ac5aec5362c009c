// What an environment's file demands and nobody could ever meet, and people whom nobody could tell apart: refused
// when the file is read, because at the gate it would be too late, or count twice.
import type { Guardrails } from './guardrails.ts';
import { type Person, type Quorum, quorumMet } from './quorum.ts';

export interface Trusted {
  /** `ed25519:<base64>` of the control worker. */
  readonly control: string;
  /** Public keys of other environments' workers. */
  readonly environments?: Readonly<Record<string, string>>;
  readonly people: readonly Person[];
  readonly guardrails: Pick<Guardrails, 'start' | 'approve' | 'rollback' | 'decide' | 'operate'>;
}

const NAME = /^[\p{Script=Latin}\p{N}][\p{Script=Latin}\p{M}\p{N}._@+-]*$/u;

/** A line for each, as `place: what is wrong; remedy`; none where every demand can be met. */
export function unmeetable(file: Trusted): readonly string[] {
  return [...namesOf(file.people), ...sharedKeys(file), ...quorums(file)];
}

/** Names are compared as the eye does: without case and accents, and with 0 as o, 1 and i as l. */
const seenAs = (name: string): string =>
  name
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll('0', 'o')
    .replaceAll(/[1i]/gu, 'l');

function namesOf(people: readonly Person[]): readonly string[] {
  const odd = people.flatMap(({ name, roles }) => [
    ...(NAME.test(name)
      ? []
      : [`people.${JSON.stringify(name)}: a name has Latin letters, digits and . _ @ + -, and no spaces`]),
    ...roles
      .filter((role) => !NAME.test(role))
      .map((role) => `people.${name}.roles: ${JSON.stringify(role)} is no role; write it like a name`),
  ]);
  const twins = people.flatMap(({ name }, at) =>
    people
      .slice(0, at)
      .filter((other) => seenAs(other.name) === seenAs(name))
      .map((other) => `people.${name}: looks like ${other.name}; give one of them another name`),
  );
  return [...odd, ...twins];
}

/** One public key is one person: base64 has several texts for the same bytes, so the bytes are compared. */
function sharedKeys({ control, people, environments = {} }: Trusted): readonly string[] {
  const owners = new Map([[keyBytes(control), 'the control worker']]);
  const workers = Object.entries(environments).flatMap(([name, key]) => {
    const owner = owners.get(keyBytes(key));
    owners.set(keyBytes(key), owner ?? `the worker of ${name}`);
    return owner === undefined
      ? []
      : [`environments.${name}.key: is the key of ${owner}; each worker has its own`];
  });
  return [...workers, ...sharedByPeople(people, owners)];
}

function sharedByPeople(people: readonly Person[], owners: Map<string, string>): readonly string[] {
  return people.flatMap(({ name, key }) => {
    const owner = owners.get(keyBytes(key));
    if (owner === undefined) owners.set(keyBytes(key), name);
    return owner === undefined
      ? []
      : [
          `people.${name}.key: is the key of ${owner}; each person has a key of their own (soakgate key create)`,
        ];
  });
}

/** The last character of the base64 of 32 bytes carries two bits that belong to no byte. */
export const keyBytes = (key: string): string => {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const text = key.replace(/^ed25519:/u, '').replace(/=$/u, '');
  return text.slice(0, -1) + digits[digits.indexOf(text.at(-1) ?? '') & ~3];
};

const MESSAGES = ['start', 'approve', 'rollback', 'decide', 'operate'] as const;

function quorums({ people, guardrails }: Trusted): readonly string[] {
  if (people.length === 0) return ['people: nobody is named, so nothing could ever be started here'];
  const complaints = MESSAGES.flatMap((message) =>
    cannotBeMet(`guardrails.${message}`, guardrails[message], people),
  );
  return complaints.length > 0 ? complaints : withoutRequester('guardrails.approve', people, guardrails);
}

function cannotBeMet(place: string, quorum: Quorum, people: readonly Person[]): readonly string[] {
  const wanted = 'any' in quorum ? quorum.any : quorum.each;
  const nobody = wanted.filter((role) => !people.some(({ roles }) => roles.includes(role)));
  if (nobody.length > 0)
    return [...new Set(nobody)].map(
      (role) => `${place}: nobody under people has the role ${role}; give it to somebody`,
    );
  const { met, missing } = quorumMet(quorum, people);
  return met
    ? []
    : [
        `${place}: each of ${wanted.join(', ')} needs ${wanted.length} different people, and ` +
          `nobody is left for ${missing.join(', ')}`,
      ];
}

/** The same for a gate of a plan: roles that nobody of this environment is left for, once the start is signed. */
export function gateUnmeetable(
  roles: readonly string[],
  { people, guardrails }: Pick<Trusted, 'people' | 'guardrails'>,
): readonly string[] {
  const { start, approve } = guardrails;
  const each = [...new Set([...roles, ...('each' in approve ? approve.each : [])])];
  if (each.length === 0) return [];
  const complaints = cannotBeMet('gate', { each }, people);
  return complaints.length > 0 ? complaints : withoutRequester('gate', people, { start, approve: { each } });
}

/** Who signs a start cannot approve it: some must be able to start what the others can approve. */
function withoutRequester(
  place: string,
  people: readonly Person[],
  { start, approve }: Pick<Trusted['guardrails'], 'start' | 'approve'>,
): readonly string[] {
  if ('each' in start && start.each.length > 1) return withoutSigners(place, people, start.each, approve);
  const starters = people.filter((person) => startsAlone(start, person));
  const approvable = starters.some(
    (starter) =>
      quorumMet(
        approve,
        people.filter((person) => person !== starter),
      ).met,
  );
  if (starters.length === 0 || approvable) return [];
  return [
    `${place}: whoever starts a deployment cannot approve it, and without ` +
      `${starters.map(({ name }) => name).join(' or ')} the others cannot meet it; name one more person`,
  ];
}

/** One person for each place in both: whoever signs the start is gone when it is approved. */
function withoutSigners(
  place: string,
  people: readonly Person[],
  start: readonly string[],
  approve: Quorum,
): readonly string[] {
  const ways =
    'each' in approve ? [approve.each] : approve.any.length > 0 ? approve.any.map((role) => [role]) : [[]];
  const left = ways.map((roles) => quorumMet({ each: [...start, ...roles] }, people));
  if (left.some(({ met }) => met)) return [];
  const nobody = [...new Set(left.flatMap(({ missing }) => missing))].join(', ');
  return [
    `${place}: whoever signs a start cannot approve it, and beside each of ${start.join(', ')} nobody is ` +
      `left for ${nobody}; name one more person`,
  ];
}

const startsAlone = (quorum: Quorum, person: Person): boolean =>
  'any' in quorum ? quorumMet(quorum, [person]).met : quorum.each.some((role) => person.roles.includes(role));
