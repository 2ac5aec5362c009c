// The Python environment of the example: built once for each lock hash, outside the checkout, shared by all tests.
// Programs in it are run as `python -m NAME`: their own first lines name the folder in which they were installed.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const lock = resolve(
  import.meta.dirname,
  '../../../examples/validation-system/every-release/requirements.txt',
);

const CAN_MAKE_ONE = 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))';

export const WITHOUT_PYTHON = 'skipped: it needs python3 (3.10 or newer) with its venv module';

/** The folder of the environment; null where there is no python3 that could make one. */
export async function pythonEnvironment(): Promise<string | null> {
  const hash = createHash('sha256')
    .update(await readFile(lock))
    .digest('hex')
    .slice(0, 16);
  const cache =
    process.env['SOAKGATE_CACHE'] ||
    join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'soakgate');
  const folder = join(cache, `python-${hash}`);
  if (existsSync(folder)) return folder;
  if (
    !(await run('python3', ['-c', CAN_MAKE_ONE]).then(
      () => true,
      () => false,
    ))
  )
    return null;
  await mkdir(cache, { recursive: true });
  const beside = await mkdtemp(join(cache, '.python-'));
  await run('python3', ['-m', 'venv', beside]);
  await run(join(beside, 'bin/python'), [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '-r',
    lock,
  ]);
  // Whole or not at all; who comes second uses what the first has made.
  await rename(beside, folder).catch(() => rm(beside, { recursive: true, force: true }));
  return folder;
}
