// Files of the host that a plan names: outside the service's folders nothing is read, written or taken away, through a
// link or by name; and a file of somebody else stays what it is.
import { mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { ownFile } from '../../activities/frame/own-files.ts';
import type { Work } from '../../activities/frame/step-context.ts';
import { isRaised, lowerFlag, raiseFlag } from '../../activities/release/flag-file.ts';
import { placeComplaints } from '../../src/core/places.ts';
import type { StepList } from '../../src/core/step-list.ts';
import { ranNow } from '../support/programs.ts';

let folder: string;
let root: string;
let secret: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sg-files-'));
  root = join(folder, 'service');
  secret = join(folder, 'elsewhere', 'secret');
  for (const made of ['service/run', 'service/releases/one', 'elsewhere', 'shared'])
    await mkdir(join(folder, made), { recursive: true });
  await writeFile(secret, 'not yours');
  await symlink('releases/one', join(root, 'current'));
  await symlink(join(folder, 'elsewhere'), join(root, 'linked'));
  await symlink(secret, join(root, 'run', 'link.pid'));
  await symlink('nowhere', join(root, 'run', 'dangling'));
  await symlink('loop', join(root, 'run', 'loop'));
});
const workOf = (files: readonly string[] = []) =>
  ({ service: { root }, world: { settings: { guardrails: { files } } } }) as unknown as Work;

test.each([
  'run/web.pid',
  './run/../run/web.pid',
  'web.pid',
  'current/tmp/web.pid',
  'run/dangling',
  'new/deep/a.pid',
])('its own: %s', async (path) => {
  expect(await ownFile(workOf(), path)).toMatch(new RegExp(`^${root}/`, 'u'));
});

test.each([
  '../elsewhere/secret',
  '../service-2/web.pid',
  'run/../../elsewhere/secret',
  '/etc/passwd',
  'linked/secret',
  'linked/new.pid',
  'run/link.pid',
  '/proc/self/cwd/x',
  '.. /..//../etc/passwd'.replace(' ', ''),
])('not its own: %s', async (path) => {
  await expect(ownFile(workOf(), path)).rejects.toThrow(/is not below .*guardrails: files/u);
});

test('what the guardrails name is its own, and a link into it as well', async () => {
  const shared = join(folder, 'shared');
  await symlink(shared, join(root, 'out'));
  expect(await ownFile(workOf([shared]), join(shared, 'web.pid'))).toBe(join(shared, 'web.pid'));
  expect(await ownFile(workOf([shared]), 'out/web.pid')).toBe(join(shared, 'web.pid'));
  await expect(ownFile(workOf(), 'out/web.pid')).rejects.toThrow('is not below');
});

test('they are named before anything is begun', () => {
  const list = (flagFile: string, pid: string, log: string) =>
    ({
      environment: {
        maintenance: { flagFile },
        services: [
          { name: 'web', options: { 'pid-file': pid } },
          { name: 'unit', options: { unit: 'x' } },
        ],
      },
      monitors: { logs: { read: { log: { files: [log] } } }, http: { read: { http: {} } } },
    }) as unknown as StepList;
  const named = (...files: [string, string, string]) =>
    placeComplaints(list(...files), { root: '/srv/shop', logs: '/var/log/shop' }, ['/run/shop']).map((line) =>
      line.slice(0, line.indexOf(' is not')),
    );
  expect(named('closed', '/run/shop/web.pid', 'app.log')).toEqual([]);
  expect(named('/srv/shop/a/../closed', 'run/web.pid', '/var/log/shop/app.log')).toEqual([]);
  expect(named('/srv/shop2/closed', '../web.pid', '../../../etc/shadow')).toEqual([
    'files: flag-file /srv/shop2/closed',
    'files: pid-file ../web.pid',
    'files: log ../../../etc/shadow',
  ]);
});

describe('a flag file', () => {
  const flag = () => join(root, 'closed');
  test('is raised and lowered, as often as asked; another deployment of ours is taken over', async () => {
    for (const deployment of ['one', 'one', 'two']) await raiseFlag(flag(), deployment);
    expect(await readFile(flag(), 'utf8')).toBe('closed by soakgate for two\n');
    for (const raised of [true, false, false]) {
      expect(await isRaised(flag())).toBe(raised);
      await lowerFlag(flag());
    }
  });

  test.each<[string, () => Promise<unknown>]>([
    ['a file of somebody', () => writeFile(flag(), 'by hand')],
    ['an empty one', () => writeFile(flag(), '')],
    ['a link to a file of somebody', () => symlink(secret, flag())],
    ['a dangling link', () => symlink('nowhere', flag())],
    ['a folder', () => mkdir(flag())],
    ['a pipe', async () => ranNow('mkfifo', [flag()])],
  ])('that is %s is neither overwritten nor taken away', async (_what, make) => {
    await make();
    const before = ranNow('ls', ['-la', root]);
    await expect(raiseFlag(flag(), 'one')).rejects.toThrow("is not Soakgate's");
    await expect(lowerFlag(flag())).rejects.toThrow("is not Soakgate's");
    expect(ranNow('ls', ['-la', root])).toBe(before);
    expect(await readFile(secret, 'utf8')).toBe('not yours');
  });
});
