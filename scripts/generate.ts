// Writes what is made from code, or only what is named: npm run generate [-- schema plan failures lists
// goldens histories]
// The first three are written by default. Pinned lists are written only when they are named, because that is
// a decision; goldens and
// histories come from tests and take minutes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { failurePage } from './failure-table.ts';
import { planReference } from './plan-reference.ts';
import { schemaText } from './write-schema.ts';

const ROOT = join(import.meta.dirname, '..');

/** A file whose whole text a function returns. */
const texts: Readonly<Record<string, { readonly file: string; readonly text: () => string }>> = {
  schema: { file: 'schema.json', text: schemaText },
  plan: { file: 'docs/plan.md', text: planReference },
  failures: { file: 'docs/failures.md', text: failurePage },
};

/** Files that tests or a script of their own write: what is run for them. */
const runs: Readonly<Record<string, readonly string[]>> = {
  lists: [join(ROOT, 'scripts/pin-lists.ts')],
  goldens: [
    join(ROOT, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--update',
    'test/core/plan/complaints.test.ts',
    'test/cli/offline.test.ts',
    'test/workflows',
  ],
  histories: [join(ROOT, 'scripts/record-histories.ts')],
};

function writeText({ file, text }: (typeof texts)[string]): void {
  const path = join(ROOT, file);
  const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const now = text();
  if (before !== now) writeFileSync(path, now);
  console.log(`${file}: ${before === now ? 'unchanged' : 'written'}`);
}

async function runFor(args: readonly string[]): Promise<void> {
  const [code] = await once(
    spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, GOLDEN: 'write' } }),
    'exit',
  );
  if (code !== 0) process.exitCode = 1;
}

const names = process.argv.slice(2);
const unknown = names.filter((name) => !(name in texts) && !(name in runs));
if (unknown.length > 0) {
  console.error(
    `unknown: ${unknown.join(', ')}; generate knows ` +
      `${[...Object.keys(texts), ...Object.keys(runs)].join(', ')}`,
  );
  process.exitCode = 2;
} else
  for (const name of names.length > 0 ? names : Object.keys(texts)) {
    if (texts[name]) writeText(texts[name]);
    else await runFor(runs[name]!);
  }
