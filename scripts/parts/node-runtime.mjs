// The Node that runs the TypeScript files as they are: the one pinned as a devDependency, else the current
// one if it can.
import { announce, failure } from './announce.mjs';
import { inCheckout, checkout, readJson } from './checkout.mjs';
import { findOnPath, isExecutable, run } from './command.mjs';

const pinned = inCheckout('node_modules', 'node', 'bin', 'node');
const remedy =
  'run `npm rebuild node --ignore-scripts=false` in the checkout (the package `node` brings its ' +
  'binary by an install script), or use Node 22.18 or newer';

/** Type stripping without a flag came with 22.18. */
export function isNewEnough(version) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 18);
}

function find() {
  if (isExecutable(pinned)) return { path: pinned };
  return isNewEnough(process.versions.node) && isExecutable(process.execPath)
    ? { path: process.execPath }
    : undefined;
}

async function install() {
  await announce('Node: fetching the pinned binary', () =>
    run(findOnPath('npm') ?? 'npm', ['rebuild', 'node', '--ignore-scripts=false'], {
      cwd: checkout,
      next: remedy,
    }),
  );
  if (!find()) throw failure('the pinned Node did not arrive', remedy);
}

const version = (path) =>
  path === pinned
    ? readJson(inCheckout('node_modules', 'node', 'package.json'))?.version
    : process.versions.node;

export const nodeRuntime = { part: 'Node', find, install, remedy, version };
