// Python environments of tests, that of the example first: built once for each lock hash, outside the checkout, shared
// by all tests.
// Programs in it are run as `python -m NAME`: their own first lines name the folder in which they were
// installed.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { ran, run } from '../../support/programs.ts';

const exampleLock = resolve(
  import.meta.dirname,
  '../../../examples/validation-system/every-release/requirements.txt',
);

const INSTALL_LIMIT_MS = 200_000;
const CAN_MAKE_ONE = 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))';

export const WITHOUT_PYTHON = 'skipped: it needs python3 (3.10 or newer) with its venv module';

/** The folder of the environment of a lock file; null where there is no python3 that could make one. */
export async function pythonEnvironment(lock = exampleLock): Promise<string | null> {
  const hash = createHash('sha256')
    .update(await readFile(lock))
    .digest('hex')
    .slice(0, 16);
  const cache =
    process.env['SOAKGATE_CACHE'] ||
    join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'soakgate');
  const folder = join(cache, `python-${hash}`);
  if (existsSync(folder)) return folder;
  if ((await run('python3', ['-c', CAN_MAKE_ONE])).exitCode !== 0) return null;
  await mkdir(cache, { recursive: true });
  const beside = await mkdtemp(join(cache, '.python-'));
  await ran('python3', ['-m', 'venv', beside]);
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', lock];
  await ran(join(beside, 'bin/python'), install, { limitMs: INSTALL_LIMIT_MS });
  // Whole or not at all; who comes second uses what the first has made.
  await rename(beside, folder).catch(() => rm(beside, { recursive: true, force: true }));
  return folder;
}
