// Whatever stands in the place of a file (a pipe that nobody writes to, a link, a folder, a socket, an odd name) is an
// answer within a second, for who verifies a package and for who seals it; and nothing is written through a link.
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { approvalPath } from '../../activities/frame/artifact-paths.ts';
import { verifyEvidence } from '../../src/io/evidence.ts';
import { readTrust } from '../../src/io/trust-file.ts';
import { createKey } from '../../src/io/trust.ts';
import { call } from '../cli/call.ts';
import { sealAgain } from '../support/another-judge.ts';
import { closed, control, counted, dan, newStore, said, type Store } from '../support/closed-package.ts';
import { ranNow } from '../support/programs.ts';

let folder: string;
let store: Store;
const servers: Server[] = [];
const trustText = stringify({
  'soakgate-trust': 1,
  control: control.publicText,
  people: { dan: dan.publicText },
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sg-odd-'));
  store = await newStore();
  const signed = said('decide', { decision: 'stop' });
  await store.artifacts.put(approvalPath('d', signed), JSON.stringify(counted(signed)));
  await closed(store);
  await writeFile(join(folder, 'trust.yaml'), trustText);
});
afterAll(async () => {
  for (const server of servers) server.close();
  await rm(folder, { recursive: true, force: true });
});

/** Puts something odd where a path says. */
const kinds: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
  pipe: async (path) => ranNow('mkfifo', [path]),
  folder: (path) => mkdir(path),
  'full folder': async (path) => {
    await mkdir(path);
    await writeFile(join(path, 'x.json'), '{}');
  },
  'link to a file': (path) => symlink('/etc/hostname', path),
  'link to a pipe': async (path) => {
    const pipe = join(folder, `pipe-${Math.random()}`);
    ranNow('mkfifo', [pipe]);
    await symlink(pipe, path);
  },
  'link to itself': (path) => symlink(path, path),
  'link to nothing': (path) => symlink('/nowhere/at/all', path),
  'link to a device': (path) => symlink('/dev/zero', path),
  socket: async (path) => {
    // A socket's path has at most 107 bytes.
    const short = join('/tmp', `s${Math.random()}`);
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(short, resolve));
    await rename(short, path);
  },
};

/** What comes within a second; a test that waits longer says so. */
const soon = async <T>(work: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('no answer within a second')), 1_000);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
};
const keys = () => readTrust([join(folder, 'trust.yaml')]);

const places = [
  'manifest.json',
  'plan.yaml',
  'SUMMARY.md',
  'refused.json',
  'approvals',
  'approvals/start.json',
  'approvals/staging',
  'approvals/staging/approve-x.json',
  'approvals/staging/gate-report.json',
  'statements/staging-closed.json',
  'gate-reports/staging-1.json',
  'logs/staging/receipts.json',
];
const cases = places.flatMap((place) => Object.keys(kinds).map((kind) => [kind, place] as const));

describe('who verifies', () => {
  test.each(cases)('a %s at %s is named, sealed again or not', async (kind, place) => {
    const at = await mkdtemp(join(folder, 'package-'));
    await cp(store.folder, at, { recursive: true });
    await rm(join(at, place), { recursive: true, force: true });
    await mkdir(dirname(join(at, place)), { recursive: true });
    await kinds[kind]!(join(at, place));
    const { state, problems } = await soon(verifyEvidence(at, control.publicText, await keys()));
    expect(['changed', 'not vouched for']).toContain(state);
    // An empty folder that nothing was expected at is nothing.
    const gone = kind === 'folder' && !existsSync(join(store.folder, place));
    expect(problems.some((problem) => problem.includes(place.split('/')[0]!))).toBe(!gone);
    if (place === 'manifest.json') return;
    await sealAgain(at, control.privatePem);
    const again = await soon(verifyEvidence(at, control.publicText, await keys()));
    expect(again.state).not.toBe('valid');
  });

  test.each(Object.keys(kinds))('a %s as the trust file is an answer', async (kind) => {
    const at = await mkdtemp(join(folder, 'trust-'));
    await kinds[kind]!(join(at, 'trust'));
    const what =
      /trust (?:is a (?:pipe|folder|link|socket or a device|device), not a file|soakgate-trust|\(whole file\))|no such file/u;
    await expect(soon(readTrust([join(at, 'trust')]))).rejects.toThrow(what);
  });

  test.each([
    ['nothing', ''],
    ['rubbish', '\u0000\u0001{{{'],
    ['a list', '- 1'],
    ['too much', 'x'.repeat(2_000_000)],
    ['no key', 'soakgate-trust: 1\npeople: { dan: nokey }'],
    ['one key for two', `soakgate-trust: 1\npeople: { dan: "${dan.publicText}", lea: "${dan.publicText}" }`],
    [
      'the control key as a person',
      `soakgate-trust: 1\ncontrol: "${dan.publicText}"\npeople: { dan: "${dan.publicText}" }`,
    ],
    ['an unknown word', 'soakgate-trust: 1\npersons: {}'],
  ])('a trust file with %s is refused, and named', async (_what, text) => {
    const at = join(await mkdtemp(join(folder, 'trust-')), 'keys.yaml');
    await writeFile(at, text);
    await expect(soon(readTrust([at]))).rejects.toThrow(/keys\.yaml/u);
  });

  test('a link to a trust file is followed; two files with two control keys are refused', async () => {
    const at = await mkdtemp(join(folder, 'trust-'));
    await symlink(join(folder, 'trust.yaml'), join(at, 'link'));
    expect((await soon(readTrust([join(at, 'link')]))).control).toBe(control.publicText);
    await writeFile(join(at, 'other'), `soakgate-trust: 1\ncontrol: "${createKey().publicText}"`);
    await expect(readTrust([join(at, 'link'), join(at, 'other')])).rejects.toThrow(
      /another key than the control key/u,
    );
  });

  test('a file that may not be read is named', async () => {
    const at = await mkdtemp(join(folder, 'package-'));
    await cp(store.folder, at, { recursive: true });
    await chmod(join(at, 'SUMMARY.md'), 0);
    // Root reads it all the same.
    expect(['valid', 'changed']).toContain((await soon(verifyEvidence(at, control.publicText))).state);
  });

  test.each([
    'line\nfeed',
    '\u001b[31mred\u001b[2K',
    '..x',
    '-rf',
    '%2e%2e',
    ' ',
    'ü\u202e.json',
    'y'.repeat(250),
    '__proto__',
  ])('an odd name %j is named', async (name) => {
    for (const below of ['', 'approvals', 'approvals/staging', 'statements']) {
      const at = await mkdtemp(join(folder, 'package-'));
      await cp(store.folder, at, { recursive: true });
      await mkdir(join(at, below), { recursive: true });
      await writeFile(join(at, below, name), '{}');
      const { state, problems } = await soon(verifyEvidence(at, control.publicText, await keys()));
      expect([state, problems]).toEqual(['changed', [`${join(below, name)} was added`]]);
      const { code, out } = await call(['evidence', 'verify', at, '--control', control.publicText]);
      expect(code).toBe(1);
      // Nothing of it reaches a terminal.
      const shown = out.trimEnd().split('\n');
      expect(shown.filter((line) => /\p{Cc}|\u202e/u.test(line))).toEqual([]);
      expect(shown).toHaveLength(2);
      await rm(at, { recursive: true });
    }
  });

  test('a manifest that names files outside opens none of them', async () => {
    const at = await mkdtemp(join(folder, 'package-'));
    await cp(store.folder, at, { recursive: true });
    const pipe = join(folder, 'outside');
    ranNow('mkfifo', [pipe]);
    await sealAgain(at, control.privatePem, ({ files, ...rest }) => ({
      ...rest,
      files: { ...(files as object), '../outside': { sha256: '', size: 0 }, [pipe]: { sha256: '', size: 0 } },
    }));
    expect((await soon(verifyEvidence(at, control.publicText, await keys()))).problems).toEqual([
      '../outside is missing',
      `${pipe} is missing`,
    ]);
  });

  test.each(Object.keys(kinds))('a %s as the package itself is an answer of the command', async (kind) => {
    const at = join(await mkdtemp(join(folder, 'place-')), 'package');
    await kinds[kind]!(at);
    const { code, out } = await call(['evidence', 'verify', at, '--trust', join(folder, 'trust.yaml')]);
    expect(code).toBe(1);
    expect(out).toMatch(/: incomplete\n {2}(?:there is no|it is no folder|the folder cannot be read)/u);
  });
});

describe('who seals', () => {
  const written = [
    'plan.yaml',
    'approvals/start.json',
    'logs/staging/receipts.json',
    'refused.json',
    'delta.json',
    'SUMMARY.md',
    'manifest.json',
  ];
  const outward = written.flatMap((place) => Object.keys(kinds).map((kind) => [kind, place] as const));

  test.each(outward)(
    'a %s where %s is written is refused or replaced, and nothing beyond it is touched',
    async (kind, place) => {
      const own = await newStore();
      await mkdir(dirname(join(own.folder, place)), { recursive: true });
      const hostname = await readFile('/etc/hostname');
      await kinds[kind]!(join(own.folder, place));
      const answer = await soon(
        closed(own).then(
          () => 'sealed',
          (error: Error) => error.message,
        ),
      );
      expect(answer).toMatch(kind.endsWith('folder') ? /is a folder/u : /no artifact/u);
      expect(await readFile('/etc/hostname')).toEqual(hostname);
      expect(existsSync('/nowhere')).toBe(false);
    },
  );

  test.each(
    [
      'approvals/staging/approve-x.json',
      'approvals/staging',
      'baseline/staging/database.json',
      'baseline/staging/findings/data.json',
      'logs/staging/soak-metrics.jsonl',
      'notes',
    ].flatMap((place) =>
      ['pipe', 'link to a file', 'link to a pipe', 'link to a device', 'socket', 'full folder'].map(
        (kind) => [kind, place] as const,
      ),
    ),
  )('a %s at %s, which is only read, keeps nobody waiting', async (kind, place) => {
    const own = await newStore();
    await mkdir(dirname(join(own.folder, place)), { recursive: true });
    await kinds[kind]!(join(own.folder, place));
    await soon(closed(own));
    const named =
      kind === 'full folder' ||
      (await readFile(join(own.folder, 'SUMMARY.md'), 'utf8')).includes(`"${place}" is not a regular file`);
    expect(named).toBe(true);
  });
});
