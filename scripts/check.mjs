// Types, lint and format: what must hold before anything is tried. All are run, none is skipped because
// another failed.
import { fileURLToPath } from 'node:url';
import { checkout, inCheckout } from './parts/checkout.mjs';
import { handOver } from './parts/hand-over.mjs';
import { nodeRuntime } from './parts/node-runtime.mjs';

const packaged = (...path) => inCheckout('node_modules', ...path);

export const checks = [
  {
    name: 'types',
    program: packaged('typescript', 'bin', 'tsc'),
    args: ['-b'],
    mend: 'correct what `npx tsc -b` names',
  },
  {
    name: 'lint',
    program: packaged('oxlint', 'bin', 'oxlint'),
    args: [],
    mend: 'correct what `npx oxlint` names, some of it by `npx oxlint --fix`',
  },
  {
    name: 'format',
    program: packaged('oxfmt', 'bin', 'oxfmt'),
    args: ['--check'],
    mend: 'run `npm run format`',
  },
];

export const interrupted = (code) => code === 130 || code === 143;

/** @returns the checks that failed. */
export async function runChecks() {
  const node = nodeRuntime.find()?.path ?? process.execPath;
  const failed = [];
  for (const check of checks) {
    console.log(`\n— ${check.name}`);
    const code = await handOver(node, [check.program, ...check.args]);
    if (interrupted(code)) process.exit(code);
    if (code !== 0) failed.push(check);
  }
  return failed;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.chdir(checkout);
  const failed = await runChecks();
  for (const { name, mend } of failed) console.log(`${name} failed: ${mend}`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}
