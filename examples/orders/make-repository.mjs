// `node make-repository.mjs TARGET_DIR [--fault NAME]`: the app's history as a git repository of two tagged
// commits, v1 → v2, and prints {"v1": sha, "v2": sha}. Author, dates and settings are fixed, so the same files
// give the same hashes anywhere. With --fault, v2 carries `faults/NAME.sql` in place of the good file.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const here = import.meta.dirname;
const releases = [
  { tag: 'v1', date: '2026-01-12T09:00:00Z', message: 'Orders: create, pay, ship' },
  { tag: 'v2', date: '2026-03-02T09:00:00Z', message: 'Orders: guards on every order, discounts' },
];

const { values, positionals } = parseArgs({ allowPositionals: true, options: { fault: { type: 'string' } } });
if (positionals.length !== 1) stop('say where: node make-repository.mjs TARGET_DIR [--fault NAME]');
const target = resolve(positionals[0]);
if (existsSync(target) && readdirSync(target).length > 0) stop(`${target} is not empty`);

function stop(sentence) {
  console.error(sentence);
  process.exit(2);
}

/** git without the settings of this machine or user, and without a surrounding repository's variables. */
function git(args, date) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')));
  const person = (role) => ({ [`GIT_${role}_NAME`]: 'Orders', [`GIT_${role}_EMAIL`]: 'orders@example.org', [`GIT_${role}_DATE`]: date });
  Object.assign(env, { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }, date && { ...person('AUTHOR'), ...person('COMMITTER') });
  return execFileSync('git', ['-C', target, ...args], { env, encoding: 'utf8' }).trim();
}

/** `0003_order_totals.down.leaves-an-index` stands in for `0003_order_totals.down`. */
function applyFault(name) {
  const file = join(here, 'faults', `${name}.sql`);
  if (!existsSync(file)) stop(`no such fault: ${name}; there are ${readdirSync(join(here, 'faults')).map((f) => f.replace(/\.sql$/, '')).join(', ')}`);
  cpSync(file, join(target, 'migrations', `${name.slice(0, name.lastIndexOf('.'))}.sql`));
}

/** Files get one mode: git records the executable bit, and a copy keeps whatever it found. */
function settleModes(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() && !entry.parentPath.includes(join(target, '.git'))) chmodSync(join(entry.parentPath, entry.name), 0o644);
  }
}

mkdirSync(target, { recursive: true });
git(['init', '--quiet', '--object-format=sha1', '--initial-branch=main', '--template=']);
const shas = {};
for (const { tag, date, message } of releases) {
  for (const name of readdirSync(target)) if (name !== '.git') rmSync(join(target, name), { recursive: true });
  cpSync(join(here, 'releases', tag), target, { recursive: true });
  if (tag === 'v2' && values.fault) applyFault(values.fault);
  settleModes(target);
  git(['add', '--all', '--force']);
  git(['commit', '--quiet', '--message', message], date);
  git(['tag', tag]);
  shas[tag] = git(['rev-parse', 'HEAD']);
}
console.log(JSON.stringify(shas));
