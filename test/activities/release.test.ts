// The release on a host: its environment is built once for each lock, and linked into every checkout that has this lock.
import { execFileSync } from 'node:child_process';
import { appendFile, mkdtemp, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BACKUP, type Bench, type Hands, MIGRATE, permit, planOf, raiseBench } from '../support/hands.ts';

let bench: Bench;
beforeAll(async () => void (bench = await raiseBench()));
afterAll(() => bench?.stop());

const RELEASE =
  'release: { ref: v2, lock: package.json, environment: deps, install: [[sh, -c, "echo built >> ../../built.log; touch deps/package"]] }';

test('S0-26: one environment for each lock: built once, linked into the next release, built anew when the lock changes', async () => {
  const repository = join(await mkdtemp(join(bench.folder, 'release-')), 'copy');
  execFileSync('cp', ['-r', await bench.repository(), repository]);
  const commit = async (file: string) => {
    await appendFile(join(repository, file), '\n');
    execFileSync('git', [
      '-C',
      repository,
      '-c',
      'user.name=t',
      '-c',
      'user.email=t@example.org',
      'commit',
      '--quiet',
      '-am',
      file,
    ]);
    return execFileSync('git', ['-C', repository, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
  };
  const plan = planOf({ steps: BACKUP + MIGRATE }).replace('release: { ref: v2 }', RELEASE);
  const hands = await permit(bench, { steps: '', app: { plan, repository, ref: 'v2' } });
  const built = async () => (await readFile(join(hands.root, 'built.log'), 'utf8')).trim().split('\n');
  expect(await built()).toEqual(['built']);

  const other = await checkedOut(hands, await commit('server.mjs'));
  expect(await readlink(join(other, 'deps'))).toBe(await readlink(join(hands.checkout, 'deps')));
  expect(await built()).toEqual(['built']);

  const changed = await checkedOut(hands, await commit('package.json'));
  expect(await readlink(join(changed, 'deps'))).not.toBe(await readlink(join(hands.checkout, 'deps')));
  expect(await built()).toEqual(['built', 'built']);
  for (const checkout of [hands.checkout, other, changed])
    expect(await readdir(join(checkout, 'deps'))).toContain('package');
});

/** The same list for another commit, as the next deployment on this host has it. */
async function checkedOut(hands: Hands, commit: string): Promise<string> {
  const rollout = { ...hands.rollout, deployment: commit, hash: commit.slice(0, 10) };
  await hands.world.permitStore.close(hands.rollout, 'passed').catch(() => undefined);
  await hands.world.permitStore.keepRollout({
    rollout,
    permit: {} as never,
    list: { ...hands.list, commit },
  });
  await hands.call('release', { rollout, step: hands.step('release') });
  await hands.world.permitStore.close(rollout, 'passed');
  return join(hands.root, 'releases', commit);
}
