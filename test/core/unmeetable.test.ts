// What an environment's file demands must be possible, and its people must be told apart by key and by eye.
import { createKey } from '../../src/io/trust.ts';
import { expect, test } from 'vitest';
import type { Quorum } from '../../src/core/quorum.ts';
import { gateUnmeetable, type Trusted, unmeetable } from '../../src/core/unmeetable.ts';

const key = (of: number) => `ed25519:${Buffer.alloc(32, of).toString('base64')}`;
const file = (
  people: Readonly<Record<string, readonly string[]>>,
  guardrails: Partial<Trusted['guardrails']> = {},
): Trusted => {
  const anyone: Quorum = { any: ['lead'] };
  return {
    control: key(255),
    people: Object.entries(people).map(([name, roles], at) => ({ name, roles, key: key(at + 1) })),
    guardrails: {
      start: anyone,
      approve: { each: [] },
      rollback: anyone,
      decide: anyone,
      operate: anyone,
      ...guardrails,
    },
  };
};

test('what can be met is not complained of', () => {
  expect(unmeetable(file({ lea: ['lead'] }))).toEqual([]);
  expect(unmeetable(file({ lea: ['lead'], dan: ['dba'] }, { approve: { each: ['dba'] } }))).toEqual([]);
  expect(unmeetable(file({ 'Jürgen.K': ['lead'], 'al@example.org': [] }))).toEqual([]);
  const two = { lea: ['lead', 'dba'], dan: ['dba'], eve: ['developer'] };
  expect(
    unmeetable(file(two, { start: { any: ['developer'] }, approve: { each: ['lead', 'dba'] } })),
  ).toEqual([]);
  // Whoever may start is not the only one who may approve.
  expect(unmeetable(file({ lea: ['lead'], dan: ['lead'] }, { approve: { any: ['lead'] } }))).toEqual([]);
});

test.each(['start', 'approve', 'rollback', 'decide', 'operate'] as const)(
  'a role that nobody has: %s',
  (message) => {
    for (const quorum of [{ any: ['lead', 'dba'] }, { each: ['dba'] }])
      expect(unmeetable(file({ lea: ['lead'] }, { [message]: quorum }))).toEqual([
        `guardrails.${message}: nobody under people has the role dba; give it to somebody`,
      ]);
  },
);

test('fewer people than `each` needs, though each role has somebody', () => {
  expect(unmeetable(file({ lea: ['lead', 'dba'] }, { decide: { each: ['lead', 'dba'] } }))).toEqual([
    'guardrails.decide: each of lead, dba needs 2 different people, and nobody is left for dba',
  ]);
  expect(
    unmeetable(file({ lea: ['lead'], dan: ['dba'] }, { rollback: { each: ['lead', 'lead'] } })),
  ).toHaveLength(1);
});

test('whoever co-signs a start cannot approve it, so each of them is one person less at the gate', () => {
  const start: Quorum = { each: ['lead', 'dba'] };
  const two = { lea: ['lead'], dan: ['dba'] };
  expect(unmeetable(file(two, { start }))).toEqual([]);
  for (const approve of [{ each: ['lead'] }, { any: ['lead'] }])
    expect(unmeetable(file(two, { start, approve }))).toEqual([
      'guardrails.approve: whoever signs a start cannot approve it, and beside each of lead, dba nobody is left ' +
        'for lead; name one more person',
    ]);
  expect(unmeetable(file(two, { start, approve: { any: ['lead', 'dba'] } }))).toEqual([
    expect.stringContaining('nobody is left for lead, dba;'),
  ]);
  const three = { ...two, max: ['lead'] };
  expect(unmeetable(file(three, { start, approve: { any: ['lead'] } }))).toEqual([]);
  expect(unmeetable(file(three, { start, approve: { any: ['dba', 'lead'] } }))).toEqual([]);
  expect(unmeetable(file(three, { start, approve: { each: ['dba'] } }))).toHaveLength(1);
  // eve signs as the one, so that the other one can approve.
  const either = { lea: ['lead'], eve: ['lead', 'dba'], dan: ['dba'] };
  expect(unmeetable(file(either, { start, approve: { each: ['dba'] } }))).toEqual([]);
  expect(unmeetable(file({ lea: ['lead', 'dba'] }, { start }))).toEqual([
    'guardrails.start: each of lead, dba needs 2 different people, and nobody is left for dba',
  ]);
});

test('who starts cannot approve, so one person more is needed', () => {
  const wrong = /^guardrails.approve: whoever starts a deployment cannot approve it, and without lea/u;
  for (const approve of [{ any: ['lead'] }, { each: ['lead'] }])
    expect(unmeetable(file({ lea: ['lead'], dan: ['dba'] }, { approve }))).toEqual([
      expect.stringMatching(wrong),
    ]);
});

test('the gate of a plan needs people who have not signed the start, beside those of the guardrails', () => {
  const start: Quorum = { each: ['lead', 'dba'] };
  const three = { lea: ['lead'], dan: ['dba'], zoe: ['dba'] };
  expect(gateUnmeetable(['dba'], file(three, { start }))).toEqual([]);
  expect(gateUnmeetable([], file({}))).toEqual([]);
  expect(gateUnmeetable(['lead'], file(three, { start }))).toEqual([
    expect.stringContaining('nobody is left for lead'),
  ]);
  expect(gateUnmeetable(['dba'], file(three, { start, approve: { each: ['lead'] } }))).toHaveLength(1);
  expect(gateUnmeetable(['owner'], file(three))).toEqual([expect.stringContaining('has the role owner')]);
  expect(gateUnmeetable(['dba', 'lead'], file(three, { start: { any: ['dba'] } }))).toEqual([]);
  expect(gateUnmeetable(['lead'], file({ lea: ['lead'] }))).toEqual([expect.stringContaining('without lea')]);
});

test('nobody at all', () => {
  expect(unmeetable(file({}))).toEqual(['people: nobody is named, so nothing could ever be started here']);
});

test.each([
  ['a space behind it', 'lea '],
  ['a space before it', ' lea'],
  ['a tab', 'le\ta'],
  ['a sign without width', 'lea\u200b'],
  ['a Cyrillic letter', 'l\u0435a'],
  ['a Greek letter', '\u03bdera'],
  ['nothing', ''],
  ['a slash', 'le/a'],
])('a name with %s is refused, also without its twin', (_what, name) => {
  expect(unmeetable(file({ [name]: ['lead'] }))).toEqual([
    `people.${JSON.stringify(name)}: a name has Latin letters, digits and . _ @ + -, and no spaces`,
  ]);
});

test.each([
  ['lea', 'Lea'],
  ['bo', 'b0'],
  ['al', 'a1'],
  ['al', 'aI'],
  ['jurgen', 'jürgen'],
  ['lea', 'l\u00e9a'],
  ['lea', 'ｌea'],
])('%s and %s look alike', (one, other) => {
  expect(unmeetable(file({ [one]: ['lead'], [other]: ['lead'] }))).toContain(
    `people.${other}: looks like ${one}; give one of them another name`,
  );
});

test('a padded role is none', () => {
  expect(unmeetable(file({ lea: ['lead', 'dba '] }))).toEqual([
    'people.lea.roles: "dba " is no role; write it like a name',
  ]);
});

test('one public key is one person, however its base64 is written; and no person is the control worker', () => {
  const people = file({ lea: ['lead'], dan: ['lead'] });
  const [lea] = people.people;
  const shared =
    'people.dan.key: is the key of lea; each person has a key of their own (soakgate key create)';
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const last = digits.indexOf(lea!.key.at(-2)!);
  for (const more of [0, 1, 2, 3]) {
    const same = `${lea!.key.slice(0, -2)}${digits[last + more]}=`;
    expect(Buffer.from(same.slice(8), 'base64')).toEqual(Buffer.from(lea!.key.slice(8), 'base64'));
    const twins = [lea!, { ...people.people[1]!, key: same }];
    expect(unmeetable({ ...people, people: twins })).toEqual([shared]);
  }
  expect(unmeetable({ ...people, control: lea!.key })).toEqual([
    'people.lea.key: is the key of the control worker; each person has a key of their own (soakgate key create)',
  ]);
});

test('no worker has the key of another worker, of the control worker or of a person', () => {
  const people = file({ lea: ['lead'], dan: ['lead'] });
  const [lea] = people.people;
  const fresh = createKey().publicText;
  expect(unmeetable({ ...people, environments: { staging: fresh } })).toEqual([]);
  expect(unmeetable({ ...people, environments: { staging: people.control } })).toEqual([
    'environments.staging.key: is the key of the control worker; each worker has its own',
  ]);
  expect(unmeetable({ ...people, environments: { staging: fresh, canary: fresh } })).toEqual([
    'environments.canary.key: is the key of the worker of staging; each worker has its own',
  ]);
  expect(unmeetable({ ...people, environments: { staging: lea!.key } })).toEqual([
    'people.lea.key: is the key of the worker of staging; each person has a key of their own (soakgate key create)',
  ]);
});
