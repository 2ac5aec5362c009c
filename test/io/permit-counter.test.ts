// A permit store that is older than it was, another one, or gone is noticed by the counter on the artifact store; people
// accept it or put the newest copy back. The copies are made with cp, and the judge reads only `fault`.
import { generateKeyPairSync } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { openArtifacts } from '../../src/io/artifacts.ts';
import { countedStore, openPermitCounter, type PermitCounter } from '../../src/io/permit-counter.ts';
import { openPermitStore, type PermitStore } from '../../src/io/permit-store.ts';

const keyOf = () => generateKeyPairSync('ed25519').privateKey;
const key = keyOf();
const rollout = { hash: '0123456789' };
let folder: string;
let artifacts: string;
let counter: PermitCounter;
let store: PermitStore;
const open = (signer = key, environment = 'production') =>
  openPermitCounter({ folder, environment }, openArtifacts(artifacts), signer);
const write = (n: number) => store.addToLedger(rollout, { is: 'begun', index: n, attempt: String(n) });
beforeEach(async () => {
  const root = await mkdtemp(join(tmpdir(), 'sg-counter-'));
  [folder, artifacts] = [join(root, 'used'), join(root, 'artifacts')];
  counter = open();
  store = countedStore(openPermitStore(folder), counter);
});

test('a store that only this worker writes is what it was, also with a new process', async () => {
  expect(await counter.fault()).toBeNull();
  for (const n of [0, 1, 2]) await write(n);
  await Promise.all([3, 4, 5].map(write));
  expect(await counter.fault()).toBeNull();
  expect(await open().fault()).toBeNull();
});

const older = async () => {
  await write(0);
  await cp(folder, `${folder}.copy`, { recursive: true });
  for (const n of [1, 2]) await write(n);
  await rm(folder, { recursive: true });
  await cp(`${folder}.copy`, folder, { recursive: true });
};
test.each<[string, () => Promise<void>, string]>([
  ['an older copy', older, 'it is an older copy: it has seen 1 of 3 changes'],
  [
    'a folder that is gone',
    async () => {
      await write(0);
      await rm(folder, { recursive: true });
    },
    'it is empty, and 1 changes were made',
  ],
  [
    'another store',
    async () => {
      await write(0);
      await rm(folder, { recursive: true });
      const place = { folder, environment: 'production' };
      const elsewhere = openPermitCounter(place, openArtifacts(`${artifacts}.other`), key);
      await countedStore(openPermitStore(folder), elsewhere).spendNonce('n', 'd');
    },
    'another one was used last',
  ],
  [
    'half a counter',
    async () => {
      for (const n of [0, 1]) await write(n);
      await writeFile(join(folder, 'changes.json'), '{"id":');
    },
    'it is empty',
  ],
])('%s is noticed until people accept it', async (_what, damage, why) => {
  await damage();
  const found = Date.now();
  expect(await counter.fault()).toContain(why);
  // Nothing that is written hides it, nor does a new process.
  await write(9);
  expect(await counter.fault()).toContain(why);
  expect(await open().fault()).toContain(why);
  // A word of long before meant something else.
  await counter.accept(found - 3_600_000);
  expect(await counter.fault()).toContain(why);
  await counter.accept(Date.now());
  expect(await counter.fault()).toBeNull();
  await write(10);
  expect(await open().fault()).toBeNull();
});

test('the newest copy, put back, needs nobody', async () => {
  for (const n of [0, 1]) await write(n);
  await cp(folder, `${folder}.newest`, { recursive: true });
  await rm(folder, { recursive: true });
  expect(await counter.fault()).not.toBeNull();
  await cp(`${folder}.newest`, folder, { recursive: true });
  expect(await counter.fault()).toBeNull();
});

test('whoever writes to the artifact store cannot make it believe anything but that it is behind', async () => {
  for (const n of [0, 1]) await write(n);
  const [name] = await readdir(join(artifacts, 'permit-stores'));
  const path = join(artifacts, 'permit-stores', name!);
  const { body, signature } = JSON.parse(await readFile(path, 'utf8'));
  const forged = [
    { body: { ...body, changes: 0 }, signature },
    { body: { ...body, environment: 'staging' }, signature },
    { body, signature: '' },
    {},
    { body: null, signature },
  ];
  for (const one of forged) {
    await writeFile(path, JSON.stringify(one));
    expect(await counter.fault()).toContain('is not signed with the key of this worker');
  }
  await writeFile(path, JSON.stringify({ body, signature }));
  expect(await counter.fault()).toBeNull();
  expect(await open(keyOf()).fault(), 'a worker with a new key').toContain('is not signed');
});
