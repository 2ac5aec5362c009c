// The table of attacks by message: what is wrong with each, and the word that its refusal must hold. What an attacker
// can bring by update, by signal and by HTTP is the same JSON.
import { randomUUID } from 'node:crypto';
import type { MessageName, Signed } from '../../src/core/messages.ts';
import type { Json } from '../../src/core/plan/plan.ts';
import { readPrivateKey, signMessage } from '../../src/io/trust.ts';
import { here } from '../support/signing.ts';

export type Sent = Exclude<MessageName, 'start' | 'stopChecks'>;

export interface Prey {
  readonly deployment: string;
  readonly environment: string;
  readonly plan: string;
  readonly list: string;
  readonly commit: string;
  readonly gateReport: string;
  /** File of the private key of each person; `mallory` is known to nobody. */
  readonly keys: Readonly<Record<string, string>>;
  /** A message that has counted, for a replay. */
  readonly counted: Signed;
}

/** What an honest one of each kind says, and who may say it. */
const honest = (prey: Prey): Readonly<Record<Sent, { person: string; words: Record<string, Json> }>> => ({
  approve: {
    person: 'dan',
    words: {
      plan: prey.plan,
      list: prey.list,
      commit: prey.commit,
      gateReport: prey.gateReport,
      comment: '',
    },
  },
  attest: {
    person: 'lea',
    words: { plan: prey.plan, attestation: 'tried', text: 'The release was tried by hand' },
  },
  reject: { person: 'lea', words: { reason: '' } },
  decide: { person: 'lea', words: { decision: 'continue' } },
  rollback: { person: 'lea', words: { fallback: 'old-code' } },
  abort: { person: 'lea', words: {} },
  pause: { person: 'lea', words: {} },
  resume: { person: 'lea', words: {} },
  extendSoak: { person: 'lea', words: { byMs: 60_000 } },
  checkNow: { person: 'lea', words: {} },
});

const inHours = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString();

type Make = (prey: Prey, message: Sent) => Promise<Signed>;
interface Attack {
  readonly make: Make;
  /** A part of the refusal, whatever the message. */
  readonly says: RegExp;
}

/** Signed by `key` (default: the person), with these words changed. */
const signed =
  (change: Readonly<Record<string, Json | undefined>>, who: { person?: string; key?: string } = {}): Make =>
  async (prey, message) => {
    const { person: usual, words } = honest(prey)[message];
    const person = who.person ?? usual;
    const body = {
      deployment: prey.deployment,
      environment: prey.environment,
      ...here(),
      nonce: randomUUID(),
      expires: inHours(1),
      ...words,
      ...change,
    };
    const key = await readPrivateKey(prey.keys[who.key ?? person]!);
    return signMessage(key, message, person, JSON.parse(JSON.stringify(body)) as Signed['body']);
  };

/** As the person says it who may. */
export const honestMessage: Make = (prey, message) => signed({})(prey, message);

/** What was signed, touched afterwards. */
const touched =
  (touch: (whole: Signed, prey: Prey) => Signed): Make =>
  async (prey, message) =>
    touch(await signed({})(prey, message), prey);

const SIGNATURE = /signature does not match/u;

export const ATTACKS: Readonly<Record<string, Attack>> = {
  'by a key that is not the person’s': { make: signed({}, { key: 'mallory' }), says: SIGNATURE },
  'by another person’s key': { make: signed({}, { key: 'ann' }), says: SIGNATURE },
  'by somebody unknown': { make: signed({}, { person: 'mallory' }), says: /knows no person mallory/u },
  'by a name that looks alike': {
    make: signed({}, { person: 'lеa', key: 'mallory' }),
    says: /knows no person/u,
  },
  expired: { make: signed({ expires: inHours(-1) }), says: /expired/u },
  'without an expiry that is a time': { make: signed({ expires: 'never' }), says: /expired/u },
  'of another namespace': { make: signed({ namespace: 'other' }), says: /namespace/u },
  'dated ahead': { make: signed({ signedAt: inHours(1) }), says: /still to come/u },
  'without its moment': { make: signed({ signedAt: 'then' }), says: /when it was signed/u },
  'of another deployment': {
    make: signed({ deployment: 'another' }),
    says: /another deployment|is for another/u,
  },
  'with one word changed': {
    make: touched((whole) => ({ ...whole, body: { ...whole.body, more: 'x' } })),
    says: SIGNATURE,
  },
  'as another kind of message': {
    make: touched((whole, { counted }) => ({ ...whole, signature: counted.signature })),
    says: SIGNATURE,
  },
  'with another encoding of its signature': {
    make: touched((whole) => ({ ...whole, signature: whole.signature.replace('==', '=') })),
    says: SIGNATURE,
  },
  'with no signature': { make: touched((whole) => ({ ...whole, signature: '-' })), says: SIGNATURE },
};

/** What only one kind of message can be made to say. */
export const OF_ONE_KIND: readonly (readonly [what: string, message: Sent, attack: Attack])[] = [
  [
    'of another gate report',
    'approve',
    { make: signed({ gateReport: 'f'.repeat(64) }), says: /another gate report/u },
  ],
  ['of another plan', 'approve', { make: signed({ plan: 'f'.repeat(64) }), says: /another plan/u }],
  ['of another list', 'approve', { make: signed({ list: 'f'.repeat(64) }), says: /another plan, list/u }],
  ['of another commit', 'approve', { make: signed({ commit: 'f'.repeat(40) }), says: /another plan, list/u }],
  [
    'of the requester',
    'approve',
    { make: signed({}, { person: 'ann' }), says: /requested this deployment/u },
  ],
  [
    'without the role',
    'approve',
    { make: signed({}, { person: 'lea' }), says: /waits for approval by dba/u },
  ],
  ['valid for a year', 'approve', { make: signed({ expires: inHours(9_000) }), says: /longest-approval/u }],
  ['in other words', 'attest', { make: signed({ text: 'It was tried, nearly' }), says: /other words/u }],
  ['of something else', 'attest', { make: signed({ attestation: 'tired' }), says: /no attestation tired/u }],
  ['of another plan', 'attest', { make: signed({ plan: 'f'.repeat(64) }), says: /another plan/u }],
  ['without the role', 'attest', { make: signed({}, { person: 'dan' }), says: /attested by lead/u }],
  ['of nothing that is asked', 'decide', { make: signed({}), says: /nothing is asked|no rollout is open/u }],
  [
    'of a word nobody offers',
    'decide',
    { make: signed({ decision: 'deploy' }), says: /nothing is asked|no rollout/u },
  ],
  ['without the role', 'decide', { make: signed({}, { person: 'ann' }), says: /needs a role/u }],
  ['without the role', 'rollback', { make: signed({}, { person: 'ann' }), says: /needs a role/u }],
  ['without the role', 'abort', { make: signed({}, { person: 'ann' }), says: /needs a role/u }],
  ['without the role', 'pause', { make: signed({}, { person: 'ann' }), says: /needs a role/u }],
];
