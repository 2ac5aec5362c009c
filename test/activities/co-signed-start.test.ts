// Who counts under a start: what an attacker makes of a start that two people have signed, and what becomes of it.
import { createPrivateKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { CoSignature, SignedStart, StartBody } from '../../src/core/messages.ts';
import type { Quorum } from '../../src/core/quorum.ts';
import type { EnvironmentSettings } from '../../src/io/settings.ts';
import { createKey, signMessage } from '../../src/io/trust.ts';
import { judgeStart } from '../../activities/permit/judge-start.ts';
import { readOnce } from '../support/signing.ts';

const ROLES = {
  ann: ['developer'],
  lea: ['lead'],
  dan: ['dba'],
  eve: ['lead', 'dba'],
  max: ['lead'],
} as const;
type Name = keyof typeof ROLES | 'mallory';
const keys = Object.fromEntries(
  [...Object.keys(ROLES), 'mallory'].map((name) => [name, createKey()]),
) as Record<Name, ReturnType<typeof createKey>>;

const body: StartBody = {
  deployment: 'd',
  namespace: 'default',
  nonce: 'n',
  expires: new Date(Date.now() + 60_000).toISOString(),
  planText: 'x'.repeat(100_000),
  planFile: 'soakgate.yaml',
  plan: 'p',
  commit: 'c',
  files: {},
  pace: null,
  lists: {},
};
/** `key` signs in the name of `person`. */
const by = (person: string, key: Name = person as Name, words: object = body): CoSignature => ({
  person,
  signature: signMessage(createPrivateKey(keys[key].privatePem), 'start', person, words).signature,
});
const start = (first: CoSignature, ...also: readonly unknown[]): SignedStart =>
  ({ message: 'start', ...first, body, ...(also.length > 0 && { also }) }) as SignedStart;

const settings = (quorum: Quorum, people: readonly string[] = Object.keys(ROLES)): EnvironmentSettings =>
  ({
    environment: 'production',
    people: people.map((name) => ({
      name,
      roles: ROLES[name as keyof typeof ROLES],
      key: keys[name as Name].publicText,
    })),
    guardrails: { start: quorum },
  }) as unknown as EnvironmentSettings;
const EACH = { each: ['dba', 'lead'] };
const judge = (signed: SignedStart, quorum: Quorum = EACH, people?: readonly string[]) => {
  const verdict = judgeStart({ settings: settings(quorum, people), ...readOnce }, signed);
  return 'refused' in verdict ? verdict.refused : verdict.signers.map(({ name }) => name);
};

const HOW = ': run soakgate sign on a start that soakgate start --print has written, before it is started';

describe('what counts', () => {
  test('one signature waits for the other role, which completes it; in either order', () => {
    expect(judge(start(by('dan')))).toBe(`start by dan: 1 of 2 signatures, waiting for lead${HOW}`);
    expect(judge(start(by('lea')))).toBe(`start by lea: 1 of 2 signatures, waiting for dba${HOW}`);
    expect(judge(start(by('dan'), by('lea')))).toEqual(['dan', 'lea']);
    expect(judge(start(by('lea'), by('dan')))).toEqual(['lea', 'dan']);
  });

  test('who asks for it needs none of the roles where others fill them', () => {
    expect(judge(start(by('ann')))).toBe(`start by ann: 0 of 2 signatures, waiting for dba, lead${HOW}`);
    expect(judge(start(by('ann'), by('dan')))).toContain('1 of 2 signatures, waiting for lead');
    expect(judge(start(by('ann'), by('dan'), by('lea')))).toEqual(['ann', 'dan', 'lea']);
  });

  test('one person fills one role, and two of one role fill one', () => {
    expect(judge(start(by('eve')))).toContain('1 of 2 signatures');
    expect(judge(start(by('lea'), by('max')))).toContain('1 of 2 signatures, waiting for dba');
    expect(judge(start(by('eve'), by('lea')))).toEqual(['eve', 'lea']);
  });

  test('any: one of the roles, whoever else has signed; as ever where nobody else has', () => {
    const any = { any: ['developer', 'lead'] };
    expect(judge(start(by('ann')), any)).toEqual(['ann']);
    expect(judge(start(by('dan')), any)).toBe('start by dan: needs a role of developer, lead; dan has dba');
    expect(judge(start(by('dan'), by('ann')), any)).toEqual(['dan', 'ann']);
    expect(judge(start(by('dan')), { any: [] })).toEqual(['dan']);
    expect(judge(start(by('ann')), { each: ['lead'] })).toBe(
      'start by ann: needs a role of lead; ann has developer',
    );
  });

  test('people of other environments are dropped, not refused', () => {
    expect(judge(start(by('dan'), by('lea')), { any: ['dba'] }, ['dan', 'ann'])).toEqual(['dan']);
    expect(judge(start(by('dan'), by('lea')), EACH, ['dan', 'max'])).toContain('1 of 2 signatures');
  });
});

describe('what an attacker makes of it is refused, or changes nothing', () => {
  const honest = start(by('dan'), by('lea'));
  const [first, other] = [by('dan'), by('lea')];
  const waits = 'start by dan: 1 of 2 signatures, waiting for lead';
  const { also: _, ...stripped } = honest;
  const text = { ...body, deployment: 'other' };

  test.each<[string, unknown, string]>([
    ['the other signature is stripped', stripped, waits],
    ['it is emptied', { ...honest, also: [] }, waits],
    ['it is doubled', start(first, other, other), 'lea signs it twice'],
    [
      'one signature under two names',
      start(first, { ...other, person: 'max' }, other),
      'one signature stands',
    ],
    ['the requester signs twice', start(first, by('dan')), 'dan signs it twice'],
    [
      'the requester signs as lea',
      start(first, by('lea', 'dan')),
      'signed by lea: the signature does not match',
    ],
    [
      'a stranger signs as lea',
      start(first, by('lea', 'mallory')),
      'signed by lea: the signature does not match',
    ],
    [
      'the signature of another start',
      start(first, by('lea', 'lea', text)),
      'signed by lea: the signature does',
    ],
    [
      'the signature of another name',
      start(first, { ...by('max'), person: 'lea' }),
      'signed by lea: the signature',
    ],
    [
      'no signature',
      start(first, { person: 'lea', signature: 'x' }),
      'signed by lea: the signature does not match',
    ],
    ['an empty one', start(first, { person: 'lea', signature: '' }), 'also holds what is no signature'],
    ['a stranger beside', start(first, by('mallory')), waits],
    ['a stranger before', start(by('mallory'), first, other), 'production knows no person mallory'],
    ['a look-alike name', start(first, by('Lea', 'lea')), waits],
    ['a look-alike letter', start(first, by('l\u0435a', 'lea')), waits],
    ['a padded name', start(first, by('lea ', 'lea')), waits],
    ['a name of the language', start(first, { person: '__proto__', signature: other.signature }), waits],
    ['also is an object', { ...honest, also: { 0: other, length: 1 } }, 'also is no list of signatures'],
    ['also is a text', { ...honest, also: 'lea' }, 'also is no list of signatures'],
    ['also is null', { ...honest, also: null }, 'also is no list of signatures'],
    ['it holds null', start(first, null), 'also holds what is no signature'],
    ['it holds texts', start(first, 'lea'), 'also holds what is no signature'],
    [
      'it holds more than a signature',
      start(first, { ...other, roles: ['lead'] }),
      'also holds what is no signature',
    ],
    ['it has a body of its own', start(first, { ...other, body: text }), 'also holds what is no signature'],
    [
      'the body is changed under both',
      { ...honest, body: text },
      'start by dan: the signature does not match',
    ],
    [
      'it is another message',
      { ...honest, message: 'approve' },
      'start by dan: the signature does not match',
    ],
  ])('%s', (_name, signed, why) => {
    expect(judge(signed as SignedStart)).toEqual(expect.stringContaining(why));
  });

  test('what is added beside two good ones changes nobody who counts', () => {
    for (const more of [by('mallory'), by('Lea', 'lea'), { person: 'zoe', signature: 'x' }])
      expect(judge({ ...honest, also: [...honest.also!, more] })).toEqual(['dan', 'lea']);
  });

  test('sixteen signatures are looked at, one more is not', () => {
    const strangers = (many: number) =>
      Array.from({ length: many }, (_one, at) => ({ person: `p${at}`, signature: `s${at}` }));
    expect(judge(start(first, ...strangers(14), other))).toEqual(['dan', 'lea']);
    expect(judge(start(first, ...strangers(15), other))).toBe(
      'start by dan: it carries 17 signatures; at most 16 are taken',
    );
  });

  test('10,000 signatures cost nothing: counted, and refused', () => {
    const many = Array.from({ length: 10_000 }, () => other);
    const began = performance.now();
    expect(judge(start(first, ...many))).toContain('it carries 10001 signatures');
    expect(performance.now() - began).toBeLessThan(50);
  });

  test('many known names with false signatures stop at the first one', () => {
    const began = performance.now();
    expect(judge(start(first, ...['lea', 'eve', 'max', 'ann'].map((name) => by(name, 'mallory'))))).toContain(
      'signed by lea: the signature does not match',
    );
    expect(performance.now() - began).toBeLessThan(500);
  });

  test('sixteen good signatures under the largest plan are checked in two seconds', () => {
    const large = { ...body, planText: '\u0001'.repeat(1_000_000) };
    const names = Array.from({ length: 16 }, (_one, at) => `p${at}`);
    const pairs = names.map(() => createKey());
    const [own, ...also] = names.map((person, at) => ({
      person,
      signature: signMessage(createPrivateKey(pairs[at]!.privatePem), 'start', person, large).signature,
    }));
    const people = names.map((name, at) => ({ name, roles: ['dba', 'lead'], key: pairs[at]!.publicText }));
    const began = performance.now();
    const verdict = judgeStart(
      { settings: { ...settings(EACH), people }, ...readOnce },
      { message: 'start', ...own!, body: large, also },
    );
    expect(verdict).toMatchObject({ signers: names.map((name) => ({ name })) });
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  test('somebody who was taken out of the file no longer counts', () => {
    expect(judge(honest, EACH, ['dan', 'max'])).toContain(waits);
  });
});
