// `node make-repository.mjs TARGET_DIR [--fault NAME]`: the app's history as a git repository of two tagged
// commits, v-prev → v-next, and prints {"v-prev": sha, "v-next": sha}. A commit is `every-release/` with the release's own
// files laid over it. Author, dates and settings are fixed, so the same files give the same hashes anywhere.
// With --fault, the files of `faults/NAME/` are laid over v-next.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const here = import.meta.dirname;
const releases = [
  { tag: 'v-prev', date: '2026-01-12T09:00:00Z', message: 'Characters, scenes and XP' },
  { tag: 'v-next', date: '2026-03-02T09:00:00Z', message: 'Constraints on every value, XP in one transaction' },
];

const { values, positionals } = parseArgs({ allowPositionals: true, options: { fault: { type: 'string' } } });
if (positionals.length !== 1) stop('say where: node make-repository.mjs TARGET_DIR [--fault NAME]');
const target = resolve(positionals[0]);
if (existsSync(target) && readdirSync(target).length > 0) stop(`${target} is not empty`);
const faults = readdirSync(join(here, 'faults'));
if (values.fault && !faults.includes(values.fault)) stop(`no such fault: ${values.fault}; there are ${faults.join(', ')}`);

function stop(sentence) {
  console.error(sentence);
  process.exit(2);
}

/** git without the settings of this machine or user, and without a surrounding repository's variables. */
function git(args, date) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')));
  const person = (role) => ({ [`GIT_${role}_NAME`]: 'TG', [`GIT_${role}_EMAIL`]: 'tg@example.org', [`GIT_${role}_DATE`]: date });
  Object.assign(env, { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }, date && { ...person('AUTHOR'), ...person('COMMITTER') });
  return execFileSync('git', ['-C', target, ...args], { env, encoding: 'utf8' }).trim();
}

/** What Python left behind when the example was run in place is no part of it. */
const byHand = new Set(['__pycache__', '.venv', '.pytest_cache', 'static_files', 'report.xml']);
const layOver = (folder) => cpSync(join(here, folder), target, { recursive: true, filter: (path) => !byHand.has(basename(path)) });

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
  layOver('every-release');
  layOver(`releases/${tag}`);
  if (tag === 'v-next' && values.fault) layOver(`faults/${values.fault}`);
  settleModes(target);
  git(['add', '--all', '--force']);
  git(['commit', '--quiet', '--message', message], date);
  git(['tag', tag]);
  shas[tag] = git(['rev-parse', 'HEAD']);
}
console.log(JSON.stringify(shas));
