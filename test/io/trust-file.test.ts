// Whose keys a reader of evidence trusts: several files together, each environment by its own.
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { demanded, peopleNamed } from '../../src/core/trusted-keys.ts';
import { readTrust } from '../../src/io/trust-file.ts';
import { createKey } from '../../src/io/trust.ts';

const [control, lea, dan, other, worker] = Array.from({ length: 5 }, () => createKey().publicText) as [
  string,
  string,
  string,
  string,
  string,
];
const files = async (...contents: readonly object[]) => {
  const folder = await mkdtemp(join(tmpdir(), 'sg-trust-'));
  const paths = contents.map((_content, at) => join(folder, `${at}.yaml`));
  await Promise.all(paths.map((path, at) => writeFile(path, stringify(contents[at]))));
  return paths;
};
const environment = (name: string, people: object, more: object = {}) => ({
  'soakgate-environment': 1,
  environment: name,
  services: {},
  control,
  people,
  guardrails: { decide: { any: ['lead'] }, programs: [] },
  ...more,
});
const named = async (name: string, place: string, ...contents: readonly object[]) =>
  peopleNamed(await readTrust(await files(...contents)), name, place).map(({ key, roles }) => [key, roles]);

test('the own file of an environment alone says who is who there; elsewhere every file counts', async () => {
  const contents = [
    environment('staging', { lea: { key: lea, roles: ['lead'] } }),
    environment('production', { lea: { key: other, roles: ['dba'] } }),
    { 'soakgate-trust': 1, people: { dan } },
  ];
  expect(await named('lea', 'staging', ...contents)).toEqual([[lea, ['lead']]]);
  expect(await named('lea', 'production', ...contents)).toEqual([[other, ['dba']]]);
  expect(await named('dan', 'production', ...contents)).toEqual([]);
  expect(await named('dan', 'canary', ...contents)).toEqual([[dan, null]]);
  const keys = await readTrust(await files(...contents));
  expect([demanded(keys, 'staging', 'decide'), demanded(keys, 'canary', 'decide')]).toEqual([
    { any: ['lead'] },
    null,
  ]);
});

test('workers come from environment files and trust files; --control from the command', async () => {
  const paths = await files(environment('production', {}, { environments: { staging: { key: worker } } }), {
    'soakgate-trust': 1,
    workers: { production: other },
  });
  const { workers, control: own } = await readTrust(paths, control);
  expect([[...workers], own]).toEqual([
    [
      ['staging', worker],
      ['production', other],
    ],
    control,
  ]);
});

test.each<[string, RegExp, readonly object[], string?]>([
  [
    'two control keys',
    /1\.yaml control: is another key/u,
    [environment('a', {}), { 'soakgate-trust': 1, control: other }],
  ],
  ['--control beside another', /0\.yaml control: is another key/u, [environment('a', {})], other],
  ['--control that is no key', /--control: must be "ed25519:"/u, [environment('a', {})], 'ed25519:x'],
  [
    'two keys of one worker',
    /1\.yaml: the worker of staging has another key/u,
    [
      { 'soakgate-trust': 1, workers: { staging: worker } },
      { 'soakgate-trust': 1, workers: { staging: other } },
    ],
  ],
  [
    'one key of two people, in two files',
    /1\.yaml: the key of dan is that of lea/u,
    [
      { 'soakgate-trust': 1, people: { lea } },
      { 'soakgate-trust': 1, people: { dan: lea } },
    ],
  ],
  [
    'a worker with the key of a person',
    /the key of lea is that of the worker of staging/u,
    [{ 'soakgate-trust': 1, people: { lea }, workers: { staging: lea } }],
  ],
])('%s are refused', async (_what, said, contents, given) => {
  await expect(readTrust(await files(...contents), given)).rejects.toThrow(said);
});
