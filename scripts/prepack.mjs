// Builds what the npm package carries: dist/ by the compiler, and the workflows as one bundle, so that no
// worker bundles at its start.
// npm runs it before `npm pack` and `npm publish`, with the pinned Node first on PATH.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import { checkout, inCheckout } from './parts/checkout.mjs';

const published = ['src/cli', 'src/api', 'worker', 'workflows'];
const zones = ['src', 'activities', 'worker', 'workflows'];

/** The compiler leaves the output of files that are gone, and a package would carry it. */
function removeOrphans() {
  for (const zone of zones) {
    for (const path of readdirSync(inCheckout('dist', zone), { recursive: true })) {
      const output = join(inCheckout('dist', zone), path);
      const source = join(inCheckout(zone), path).replace(/\.(?:js|d\.ts)(?:\.map)?$/u, '.ts');
      if (statSync(output).isFile() && !output.endsWith('.tsbuildinfo') && !existsSync(source))
        rmSync(output);
    }
  }
}

execFileSync(process.execPath, [inCheckout('node_modules', 'typescript', 'bin', 'tsc'), '-b', ...published], {
  cwd: checkout,
  stdio: 'inherit',
  timeout: 600_000,
});
removeOrphans();
const quiet = { trace() {}, debug() {}, info() {}, log() {}, warn: console.warn, error: console.error };
const { bundleOptions } = await import(inCheckout('dist', 'worker', 'workflow-code.js'));
const { code } = await bundleWorkflowCode({ ...bundleOptions(), logger: quiet });
writeFileSync(inCheckout('dist', 'workflow-bundle.js'), code);
