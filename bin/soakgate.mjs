#!/usr/bin/env node
// The command. Plain JavaScript, so that Node 20 can start it: in the checkout it goes over to the pinned
// Node, installed it needs 22.18.
import { existsSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = new URL('../src/cli/main.ts', import.meta.url);
const built = new URL('../dist/src/cli/main.js', import.meta.url);
const pinned = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));

const [major, minor] = process.versions.node.split('.').map(Number);
const newEnough = major > 22 || (major === 22 && minor >= 18);
const inCheckout = existsSync(source);
const args = process.argv.slice(2);

if (newEnough) {
  // Stripping types costs 80 ms a start, once cached none. Kept in the person's own folder: what lies in
  // /tmp, others may have written.
  const cache =
    process.env.SOAKGATE_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'soakgate');
  // Workers and the demo, processes of their own, find it in their environment.
  process.env.NODE_COMPILE_CACHE ||= join(cache, 'compiled');
  module.enableCompileCache(process.env.NODE_COMPILE_CACHE);
  const { main } = await import(inCheckout ? source.href : built.href);
  process.exitCode = await main(args);
} else if (inCheckout && existsSync(pinned)) {
  const { handOver } = await import('../scripts/parts/hand-over.mjs');
  process.exitCode = await handOver(pinned, [fileURLToPath(import.meta.url), ...args]);
} else {
  const remedy = inCheckout
    ? 'run `npm ci` here, which brings the pinned Node'
    : 'install Node 22.18 or newer';
  process.stderr.write(`soakgate needs Node 22.18 or newer, and this is ${process.version}: ${remedy}.\n`);
  process.exitCode = 2;
}
