// A line that a full disk has cut off stays alone: the next one begins behind it. Nothing is written through what
// somebody has planted.
import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Artifacts, openArtifacts } from '../../src/io/artifacts.ts';
import { ranNow } from '../support/programs.ts';

test('a line behind one that was cut off is a line of its own, and its end is where it is said to be', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sg-artifacts-'));
  const artifacts = openArtifacts(folder);
  const file = join(folder, 'a/lines');
  expect(await artifacts.append('a/lines', 'one')).toBe(4);
  await appendFile(file, '{"at":1');
  const end = await artifacts.append('a/lines', 'two');
  expect(await readFile(file, 'utf8')).toBe('one\n{"at":1\ntwo\n');
  expect(end).toBe((await stat(file)).size);
  await rm(folder, { recursive: true });
});

describe('a link, a pipe or an odd name among the artifacts', () => {
  const planted = async (make: (folder: string, outside: string) => Promise<unknown>) => {
    const [folder, outside] = await Promise.all(
      ['store', 'outside'].map((name) => mkdtemp(join(tmpdir(), `sg-${name}-`))),
    );
    await writeFile(join(outside!, 'theirs'), 'as it was');
    await make(folder!, outside!);
    return { artifacts: openArtifacts(folder!), folder: folder!, outside: outside! };
  };
  const writes = (artifacts: Artifacts, from: string): Record<string, () => Promise<unknown>> => ({
    put: () => artifacts.put('a/theirs', 'ours'),
    append: () => artifacts.append('a/theirs', 'ours'),
    adopt: () => artifacts.adopt('a/theirs', from),
    path: () => artifacts.path('a/theirs'),
    read: () => artifacts.read('a/theirs'),
    remove: () => artifacts.remove('a/theirs'),
    describe: () => artifacts.describe('a/theirs'),
  });

  test.each(['put', 'append', 'adopt', 'path', 'read', 'remove', 'describe'])(
    '%s goes neither through a folder nor through a file that is a link',
    async (how) => {
      for (const make of [
        (folder: string, outside: string) => symlink(outside, join(folder, 'a')),
        async (folder: string, outside: string) => {
          await mkdir(join(folder, 'a'));
          await symlink(join(outside, 'theirs'), join(folder, 'a/theirs'));
        },
        async (folder: string, outside: string) => {
          await mkdir(join(folder, 'a'));
          await symlink(join(outside, 'nothing there yet'), join(folder, 'a/theirs'));
        },
      ]) {
        const { artifacts, outside } = await planted(make);
        await writeFile(join(outside, 'from'), 'ours');
        await expect(writes(artifacts, join(outside, 'from'))[how]!()).rejects.toMatchObject({
          code: 'ARTIFACT_REFUSED',
          message: expect.stringContaining('is a link, no artifact'),
        });
        expect(await readdir(outside)).toEqual(['from', 'theirs']);
        expect(await readFile(join(outside, 'theirs'), 'utf8')).toBe('as it was');
      }
    },
  );

  test('a pipe is an answer, not a wait', async () => {
    const { artifacts } = await planted(async (folder) => {
      await mkdir(join(folder, 'a'));
      ranNow('mkfifo', [join(folder, 'a/theirs')]);
    });
    for (const write of Object.values(writes(artifacts, '/nowhere')))
      await expect(write()).rejects.toMatchObject({
        code: 'ARTIFACT_REFUSED',
        message: expect.stringContaining('is a special file, no artifact'),
      });
  });

  test.each(['../x', 'a/../../x', '..', '/etc/x', 'a//x', './x', 'a/.', '', 'a\0b'])('%j', async (name) => {
    const { artifacts, folder } = await planted(async () => undefined);
    await expect(artifacts.put(name, 'ours')).rejects.toMatchObject({ code: 'ARTIFACT_REFUSED' });
    expect(await readdir(folder)).toEqual([]);
  });
});
