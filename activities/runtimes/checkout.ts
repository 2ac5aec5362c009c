// The pinned commit as files under releases/<commit>, its environment built once per lock hash.
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../../src/core/failures.ts';
import { runCommand } from '../../src/io/command.ts';
import { sha256 } from '../../src/io/files.ts';
import { redact, tail } from '../../src/io/redact.ts';
import { baseEnvironment } from '../frame/commands.ts';
import type { Work } from '../frame/step-context.ts';

/** The application reads its build id from here; Soakgate writes the commit into it. */
export const BUILD_FILE = '.soakgate-build';

/** Built beside and renamed, so that a half-made checkout is never taken for a whole one. */
export async function checkOut(work: Work): Promise<void> {
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

/**
 * A build may need the worker's proxy or certificates: what `build-env` names, and nothing else, is
 * inherited.
 */
async function build(work: Work, argv: readonly string[], cwd: string): Promise<void> {
  const inherited = work.world.settings.buildEnv.flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]] as const],
  );
  if (inherited.length > 0)
    await work.log(`inherits ${inherited.map(([name]) => name).join(', ')} from this worker (build-env)`);
  await mustRun(work, argv, cwd, Object.fromEntries(inherited));
}

/**
 * A path or an address may be shown, it says what went wrong; the value of a variable with such a name may
 * not.
 */
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
