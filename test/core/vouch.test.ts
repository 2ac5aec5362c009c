// Quorum in a package: where the guardrails name several roles, each has signed the same words, or nobody vouches for
// them. Signatures are good here by name.
import { expect, test } from 'vitest';
import type { MessageName, VerifiedMessage } from '../../src/core/messages.ts';
import { gatherKeys } from '../../src/core/trusted-keys.ts';
import type { Case } from '../../src/core/vouch/case.ts';
import { vouch } from '../../src/core/vouch/vouch.ts';
import { here } from '../support/signing.ts';

const keyOf = (name: string) => `ed25519:${name.padEnd(43, 'A')}=`;
const EACH = { each: ['lead', 'dba'] };
const { keys } = gatherKeys([
  {
    file: 'staging.yaml',
    environment: 'staging',
    control: keyOf('control'),
    people: [
      { name: 'lea', key: keyOf('lea'), roles: ['lead'] },
      { name: 'dan', key: keyOf('dan'), roles: ['dba'] },
      { name: 'bob', key: keyOf('bob'), roles: ['developer'] },
    ],
    workers: {},
    guardrails: { decide: EACH, rollback: EACH, operate: EACH },
  },
]);

let nonce = 0;
const by = (person: string, message: MessageName, body: Record<string, string>): VerifiedMessage => ({
  signed: {
    message,
    person,
    signature: keyOf(person),
    body: {
      deployment: 'd',
      environment: 'staging',
      ...here(),
      nonce: `${(nonce += 1)}`,
      expires: '2',
      ...body,
    },
  },
  roles: { lea: ['lead'], dan: ['dba'] }[person] ?? [],
  at: '1',
});

/** What is wrong with a package that has these messages. */
const wrong = (...records: readonly VerifiedMessage[]) => {
  const subject: Case = {
    keys,
    check: {
      signed: ({ signature }, key) => signature === key,
      stated: () => false,
      sealed: () => false,
      hash: String,
      time: Number,
    },
    manifest: { soakgate: 1, deployment: 'd', outcome: 'failed', files: {} },
    records: {
      start: null,
      messages: records.map((record, at) => ({ file: `${at}.json`, record })),
      statements: [],
      reports: [],
      faults: [],
    },
    start: null,
    requester: null,
    lists: null,
  };
  const { faults, lines } = vouch(subject, []);
  return [...faults, ...lines.flatMap(({ fault }) => fault ?? [])].filter(
    (text) => !text.includes('no signed start'),
  );
};

test('each means each: one signature of two is nobody’s word', () => {
  const retry = { decision: 'retry' };
  expect(wrong(by('lea', 'decide', retry), by('dan', 'decide', { ...retry, comment: 'so do I' }))).toEqual(
    [],
  );
  expect(wrong(by('lea', 'decide', retry))).toEqual([
    'staging: nobody vouches for the decide by dba (0.json)',
  ]);
  // Two words of one each are none.
  expect(wrong(by('lea', 'decide', retry), by('dan', 'decide', { decision: 'leave-as-is' }))).toHaveLength(2);
  expect(wrong(by('lea', 'resume', {}))).toEqual(['staging: nobody vouches for the resume by dba (0.json)']);
  expect(wrong(by('lea', 'rollback', { fallback: 'restore' }))).toHaveLength(1);
});

test('what stops or looks needs one person, with a role that the guardrails name', () => {
  expect(
    wrong(
      by('lea', 'decide', { decision: 'stop' }),
      by('dan', 'rollback', {}),
      by('dan', 'abort', {}),
      by('lea', 'pause', {}),
    ),
  ).toEqual([]);
  expect(wrong(by('bob', 'abort', {}))).toEqual(['staging asks for lead, dba; bob has developer']);
});
