// The release on a host: its environment is built once for each lock, and linked into every checkout that has
// this lock.
import { appendFile, mkdtemp, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  BACKUP,
  type Bench,
  failureOf,
  type Hands,
  MIGRATE,
  permit,
  planOf,
  raiseBench,
} from '../support/hands.ts';
import { ranNow } from '../support/programs.ts';

let bench: Bench;
beforeAll(async () => void (bench = await raiseBench()));
afterAll(() => bench?.stop());

const RELEASE =
  'release: { ref: v2, lock: package.json, environment: deps, install: [[sh, -c, "echo built >> ' +
  '../../built.log; touch deps/package"]] }';

test(
  'S0-26: one environment for each lock: built once, linked into the next release, built anew when the ' +
    `lock changes`,
  async () => {
    const repository = join(await mkdtemp(join(bench.folder, 'release-')), 'copy');
    ranNow('cp', ['-r', await bench.repository(), repository]);
    const commit = async (file: string) => {
      await appendFile(join(repository, file), '\n');
      ranNow('git', [
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
      return ranNow('git', ['-C', repository, 'rev-parse', 'HEAD']).trim();
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
  },
);

describe('build-env of the environment file', () => {
  const names = { SG_PROXY: 'http://proxy.example:3128', SG_REGISTRY_TOKEN: 'token-of-the-registry' };
  beforeAll(() => void Object.assign(process.env, names));
  afterAll(() => Object.keys(names).forEach((name) => delete process.env[name]));
  const SEEN = 'env | grep -c "^SG_PROXY=http://proxy.example:3128$"';
  const planWith = (install: string) =>
    planOf({
      steps:
        `${BACKUP}${MIGRATE}  - { step: task, run: { command: [sh, -c, '! ${SEEN}'], changes: [files] ` +
        `} }\n  - { step: look, check: { command: [sh, -c, '! ${SEEN}'] } }\n`,
    }).replace('release: { ref: v2 }', `release: { ref: v2, install: [[sh, -c, '${install}']] }`);
  const open = async (install: string, buildEnv: readonly string[]) =>
    permit(bench, {
      steps: '',
      buildEnv,
      app: { plan: planWith(install), repository: await bench.repository(), ref: 'v2' },
    });

  test('the build of a release inherits what it names; the commands of the application never see it', async () => {
    const hands = await open(SEEN, ['SG_PROXY', 'SG_UNSET']);
    expect(await hands.log('release')).toContain('inherits SG_PROXY from this worker');
    expect(await hands.run('task')).toMatchObject({ verdict: 'pass' });
    expect(await hands.run('look')).toMatchObject({ verdict: 'pass' });
  });

  test('nothing is inherited that it does not name', async () => {
    expect(await failureOf(open(SEEN, []))).toMatchObject({ code: 'RELEASE_FAILED' });
  });

  test('a token that the build prints is not repeated', async () => {
    const failure = await failureOf(
      open('echo asked with $SG_REGISTRY_TOKEN via $SG_PROXY >&2; exit 1', Object.keys(names)),
    );
    expect(failure).toMatchObject({ code: 'RELEASE_FAILED' });
    expect(failure.details).toContain('asked with ••• via http://proxy.example:3128');
  });
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
