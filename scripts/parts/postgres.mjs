// PostgreSQL's programs, server and client from one folder: a dump is only as good as the version that made
// it.
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { announce, failure } from './announce.mjs';
import { askVersion, cleanPath, findOnPath, isExecutable, run } from './command.mjs';

const programs = ['postgres', 'initdb', 'pg_ctl', 'psql', 'pg_dump', 'pg_restore', 'createdb'];

/** Where distributions keep a version beside another: Debian, Red Hat, Homebrew, Postgres.app. */
const versioned = [
  ['/usr/lib/postgresql', /^(\d+)$/],
  ['/usr', /^pgsql-(\d+)$/],
  ['/opt/homebrew/opt', /^postgresql@(\d+)$/],
  ['/usr/local/opt', /^postgresql@(\d+)$/],
  ['/Applications/Postgres.app/Contents/Versions', /^(\d+)$/],
];

const isWhole = (folder) => programs.every((name) => isExecutable(join(folder, name)));

function find() {
  const given = process.env.SOAKGATE_PG_BIN;
  const path = given ? [given].find(isWhole) : (cleanPath().split(delimiter).find(isWhole) ?? newest());
  return path ? { path } : undefined;
}

function newest() {
  const found = versioned.flatMap(([parent, pattern]) => {
    const names = existsSync(parent) ? readdirSync(parent) : [];
    return names.flatMap((name) =>
      pattern.test(name) ? [{ major: Number(pattern.exec(name)[1]), folder: join(parent, name, 'bin') }] : [],
    );
  });
  return found.sort((a, b) => b.major - a.major).find(({ folder }) => isWhole(folder))?.folder;
}

const asRoot = () => process.getuid?.() === 0;
const sudo = () => (asRoot() ? '' : 'sudo ');

function remedy() {
  if (process.env.SOAKGATE_PG_BIN)
    return (
      `SOAKGATE_PG_BIN must name a folder with ${programs.join(', ')}; it is ` +
      `${process.env.SOAKGATE_PG_BIN}`
    );
  if (findOnPath('apt-get'))
    return `run \`${sudo()}apt-get update && ${sudo()}apt-get install -y postgresql\``;
  if (findOnPath('dnf')) return `run \`${sudo()}dnf install -y postgresql-server postgresql\``;
  if (findOnPath('brew')) return 'run `brew install postgresql@17`';
  return `install PostgreSQL 15 or newer, or set SOAKGATE_PG_BIN to a folder with ${programs.join(', ')}`;
}

/** Only where installing starts no service: on a machine that would start one, its owner decides. */
const mayInstall = () =>
  !process.env.SOAKGATE_PG_BIN &&
  asRoot() &&
  findOnPath('apt-get') &&
  (existsSync('/usr/sbin/policy-rc.d') || !existsSync('/run/systemd/system'));

async function install() {
  const next = remedy();
  if (!mayInstall()) throw failure('PostgreSQL (server and client programs) was not found', next);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await announce(
    'PostgreSQL: apt-get install postgresql (about 75 MB to fetch, 315 MB on disk)',
    async () => {
      await run('apt-get', ['update', '-q'], { env, next });
      await run('apt-get', ['install', '-q', '-y', '--no-install-recommends', 'postgresql'], { env, next });
    },
  );
  if (!find()) throw failure('apt-get installed postgresql, but its programs were not found', next);
}

export const postgres = {
  part: 'PostgreSQL',
  find,
  install,
  remedy,
  version: (path) => askVersion(join(path, 'postgres')).replace('postgres (PostgreSQL) ', ''),
};
