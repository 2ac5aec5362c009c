// The npm packages of package-lock.json, and nothing older.
import { createHash } from 'node:crypto';
import { announce, failure } from './announce.mjs';
import { alone, cached, sizeOf } from './cache.mjs';
import { checkout, inCheckout, readJson } from './checkout.mjs';
import { findOnPath, run } from './command.mjs';

const remedy = 'run `npm ci` in the checkout and read what it says';

/**
 * Compares contents, not times: a checkout of another commit touches the lock file without changing a
 * version.
 */
function find() {
  const wanted = readJson(inCheckout('package-lock.json'))?.packages;
  const installed = readJson(inCheckout('node_modules', '.package-lock.json'))?.packages;
  if (!wanted || !installed) return undefined;
  const fits = Object.entries(wanted).every(
    ([path, entry]) => path === '' || sameVersion(entry, installed[path]),
  );
  const known = Object.keys(installed).every((path) => path in wanted);
  return fits && known ? { path: inCheckout('node_modules') } : undefined;
}

function sameVersion(wanted, installed) {
  if (!installed) return Boolean(wanted.optional || wanted.devOptional || wanted.os || wanted.cpu);
  return installed.version === wanted.version && installed.integrity === wanted.integrity;
}

async function install() {
  const npm = findOnPath('npm');
  if (!npm)
    throw failure(
      'npm is not on PATH',
      'install Node 20 or newer with npm, from https://nodejs.org or your distribution',
    );
  const lock = cached(`npm-packages-${createHash('sha256').update(checkout).digest('hex').slice(0, 12)}`);
  await alone(lock, async () => {
    if (find()) return;
    await announce('npm packages: npm ci', async () => {
      await run(npm, ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], {
        cwd: checkout,
        next: remedy,
        tellsFirst: true,
      });
      return `${sizeOf(inCheckout('node_modules'))} in node_modules`;
    });
  });
}

export const npmPackages = { part: 'npm packages', find, install, remedy, version: () => 'as locked' };
