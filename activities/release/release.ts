// release: the pinned commit checked out under releases/<commit>, its environment built once per lock hash.
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fail } from '../../src/core/failures.ts';
import { hashFile, ifAbsent, sha256 } from '../../src/io/files.ts';
import { redact, tail } from '../../src/io/redact.ts';
import type { StepResult, UndoResult } from '../frame/receipt.ts';
import { baseEnvironment, type Work } from '../frame/step-context.ts';
import { runCommand } from '../../src/io/command.ts';

/** The application reads its build id from here; Soakgate writes the commit into it. */
export const BUILD_FILE = '.soakgate-build';
const PREVIOUS_NOTE = 'previous-release';

export async function release(work: Work): Promise<StepResult> {
  if (!existsSync(join(work.checkout, BUILD_FILE))) await checkOut(work);
  const changed = await changedFiles(work);
  if (changed.length > 0) fail('FILE_CHANGED', `at commit ${work.list.commit.slice(0, 12)}`, changed);
  await work.world.permitStore.noteOnce(work.rollout, PREVIOUS_NOTE, (await servingCommit(work)) ?? '');
  return {
    verdict: 'pass',
    summary: `${work.list.commit.slice(0, 12)} checked out beside the running release`,
  };
}

/** Built beside and renamed, so that a half-made checkout is never taken for a whole one. */
async function checkOut(work: Work): Promise<void> {
  const beside = `${work.checkout}.${work.tag.split(':').at(-1)}.tmp`;
  await rm(beside, { recursive: true, force: true });
  await mkdir(beside, { recursive: true });
  const { repository } = work.service;
  const archive = join(beside, '.archive.tar');
  await mustRun(
    work,
    ['git', '-C', repository, 'archive', '--format=tar', `--output=${archive}`, work.list.commit],
    beside,
  );
  await mustRun(work, ['tar', '-xf', archive, '-C', beside], beside);
  await rm(archive);
  await buildEnvironment(work, beside);
  await writeFile(join(beside, BUILD_FILE), `${work.list.commit}\n`);
  await chmod(beside, 0o755);
  await rm(work.checkout, { recursive: true, force: true });
  await rename(beside, work.checkout);
}

/** One built environment for each lock hash, linked into each checkout. */
async function buildEnvironment(work: Work, checkout: string): Promise<void> {
  const { lock, environment, install } = work.list.release;
  if (install.length === 0) return;
  if (!lock || !environment) {
    for (const argv of install) await build(work, argv, checkout);
    return;
  }
  const hash = sha256(await readFile(join(checkout, lock))).slice(0, 16);
  const built = join(work.service.root, 'environments', hash);
  if (!existsSync(join(built, '.soakgate-built'))) {
    await rm(built, { recursive: true, force: true });
    await mkdir(built, { recursive: true });
    await symlink(built, join(checkout, environment));
    // Told by its true name: `python -m venv` refuses a link.
    const inPlace = (argv: readonly string[]) => argv.map((word) => (word === environment ? built : word));
    for (const argv of install) await build(work, inPlace(argv), checkout);
    await writeFile(join(built, '.soakgate-built'), '');
  } else await symlink(built, join(checkout, environment));
}

/** A build may need the worker's proxy or certificates: what `build-env` names, and nothing else, is inherited. */
async function build(work: Work, argv: readonly string[], cwd: string): Promise<void> {
  const inherited = work.world.settings.buildEnv.flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]] as const],
  );
  if (inherited.length > 0)
    await work.log(`inherits ${inherited.map(([name]) => name).join(', ')} from this worker (build-env)`);
  await mustRun(work, argv, cwd, Object.fromEntries(inherited));
}

/** A path or an address may be shown, it says what went wrong; the value of a variable with such a name may not. */
const hasSecretName = (name: string): boolean => /token|secret|passw|auth|key|credential/iu.test(name);

async function mustRun(
  work: Work,
  argv: readonly string[],
  cwd: string,
  inherited: Readonly<Record<string, string>> = {},
): Promise<void> {
  await work.log(`$ ${argv.join(' ')}`);
  const env = { ...baseEnvironment(), ...inherited };
  const result = await runCommand({
    argv,
    cwd,
    env,
    signal: work.signal,
    notes: work.world.permitStore.processNotes(work.rollout),
  });
  if (result.exitCode !== 0) {
    const secrets = Object.entries(inherited).flatMap(([name, value]) =>
      hasSecretName(name) ? [value] : [],
    );
    fail(
      'RELEASE_FAILED',
      `${argv.join(' ')} ended with ${result.exitCode ?? result.killedBy}`,
      tail(redact(result.stderr || result.stdout, secrets), 4_000).split('\n'),
    );
  }
}

async function changedFiles(work: Work): Promise<readonly string[]> {
  const looks = Object.entries(work.list.files).map(async ([path, expected]) => {
    const found = await hashFile(join(work.checkout, path)).catch(ifAbsent(undefined));
    return found?.sha256 === expected ? [] : [`${path} is ${found ? 'another file' : 'missing'}`];
  });
  return (await Promise.all(looks)).flat();
}

const currentLink = (work: Pick<Work, 'service'>): string => join(work.service.root, 'current');

/** The commit that `current` points to. */
export async function servingCommit(work: Pick<Work, 'service'>): Promise<string | undefined> {
  const target = await readlink(currentLink(work)).catch(ifAbsent(undefined));
  return target?.split('/').at(-1);
}

/** switch: `current` points to the new checkout, by one rename. */
export async function switchRelease(work: Work): Promise<StepResult> {
  await pointTo(work, work.list.commit);
  return { verdict: 'pass', summary: `current → ${work.list.commit.slice(0, 12)}` };
}

/** Undo of switch: the release that served before this rollout began. */
export async function revertSwitch(work: Work): Promise<UndoResult> {
  const previous = await work.world.permitStore.note(work.rollout, PREVIOUS_NOTE);
  if (!previous) {
    await rm(currentLink(work), { force: true });
    return { done: true, summary: 'no release served before; current removed', differences: [] };
  }
  if (!existsSync(join(work.service.root, 'releases', previous)))
    return {
      done: false,
      summary: 'the old checkout is missing',
      differences: [`releases/${previous} is missing: check it out and point current to it`],
    };
  await pointTo(work, previous);
  return { done: true, summary: `current → ${previous.slice(0, 12)}`, differences: [] };
}

async function pointTo(work: Work, commit: string): Promise<void> {
  const beside = `${currentLink(work)}.${work.tag.split(':').at(-1)}`;
  await rm(beside, { force: true });
  await symlink(relative(work.service.root, join(work.service.root, 'releases', commit)), beside);
  await rename(beside, currentLink(work));
}
