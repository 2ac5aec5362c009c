// The environment's file while a worker runs: whom it trusts is read again, where things lie is not, and a version that
// nobody can read counts nobody.
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { type LiveEnvironmentFile, openEnvironmentFile, VERSIONS } from '../../src/io/environment-file.ts';
import { sha256 } from '../../src/io/files.ts';
import { ranNow } from '../support/programs.ts';

const keyOf = (letter: string) => `ed25519:${letter.repeat(42)}A=`;
interface Version {
  readonly people?: readonly string[];
  readonly environment?: string;
  readonly artifacts?: string;
}
const text = ({ people = ['ann', 'bea'], environment = 'staging', artifacts = 'artifacts' }: Version) =>
  `soakgate-environment: 1
environment: ${environment}
services: { orders: { root: here, repository: repo, database: { env: DATABASE_URL } } }
artifacts: ${artifacts}
permit-store: used
control: "${keyOf('C')}"
worker-key: worker.key
people: { ${people.map((name, at) => `${name}: { key: "${keyOf('DEFG'[at]!)}", roles: [lead] }`).join(', ')} }
guardrails: { start: { any: [lead] }, rollback: { any: [lead] }, decide: { any: [lead] }, operate: { any: [lead] }, programs: [] }
`;

let folder: string;
let path: string;
let said: string[];
let live: LiveEnvironmentFile;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sg-environment-'));
  path = join(folder, 'staging.yaml');
  await writeFile(path, text({}));
  said = [];
  live = await openEnvironmentFile(path, (line, isFault) => said.push(`${isFault ? 'fault: ' : ''}${line}`));
});
const names = () => live.settings.people.map(({ name }) => name);
const versions = async () =>
  (await readFile(join(folder, 'used', VERSIONS), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { sha256: string; readAt: string });

test('who was taken out counts for nothing any more, also where the file was replaced; when is written down', async () => {
  await live.refresh();
  expect([names(), said, (await versions()).length]).toEqual([['ann', 'bea'], [], 1]);
  await writeFile(`${path}.new`, text({ people: ['ann', 'eva'] }));
  await rename(`${path}.new`, path);
  await live.refresh();
  expect(names()).toEqual(['ann', 'eva']);
  expect(said).toEqual([expect.stringContaining('was read again: it trusts ann (lead), eva (lead)')]);
  const [first, second] = await versions();
  expect(second).toEqual({ sha256: sha256(await readFile(path)), readAt: live.version.readAt });
  expect(second!.sha256).not.toBe(first!.sha256);
});

test.each<[string, string | null, string]>([
  ['no YAML', 'people: [', 'cannot be read'],
  ['a demand that nobody can meet', text({ people: ['ann', 'Ann'] }), 'cannot be read'],
  ['half a file', text({}).slice(0, 90), 'cannot be read'],
  ['nothing', null, 'cannot be read'],
  ['the file of another environment', text({ environment: 'production' }), 'is the file of production now'],
])('%s is a fault, until it is mended', async (_what, content, fault) => {
  if (content === null) await rm(path);
  else await writeFile(path, content);
  await live.refresh();
  expect(live.fault).toContain(fault);
  expect(said).toEqual([expect.stringMatching(/^fault: /u)]);
  await live.refresh();
  expect(said, 'said once').toHaveLength(1);
  await writeFile(path, text({ people: ['eva'] }));
  await live.refresh();
  expect([live.fault, names()]).toEqual([null, ['eva']]);
});

test('a pipe or a folder in its place is a fault at once, and hangs nobody', async () => {
  for (const make of ['mkfifo', 'mkdir']) {
    await rm(path, { recursive: true });
    ranNow(make, [path]);
    const began = performance.now();
    await live.refresh();
    expect([live.fault, performance.now() - began < 1_000]).toEqual([
      expect.stringContaining('no regular file'),
      true,
    ]);
    await rm(path, { recursive: true });
    await writeFile(path, text({ people: ['eva'] }));
    await live.refresh();
    expect([live.fault, names()]).toEqual([null, ['eva']]);
  }
});

test('where things lie stays as it was begun, and a restart is asked for', async () => {
  const { artifacts } = live.settings;
  await writeFile(path, text({ artifacts: 'elsewhere', people: ['ann'] }));
  await live.refresh();
  expect([live.settings.artifacts, names(), live.fault]).toEqual([artifacts, ['ann'], null]);
  expect(said.at(-1)).toContain('has another artifacts: restart the worker');
});

test('two activities at once read it once, and neither gets the older version', async () => {
  await writeFile(path, text({ people: ['eva'] }));
  await Promise.all([live.refresh(), live.refresh(), live.refresh()]);
  expect([names(), said.length, (await versions()).length]).toEqual([['eva'], 1, 2]);
});
