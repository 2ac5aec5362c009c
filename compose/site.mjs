// `node site.mjs staging`: one environment. The first time its database is filled and its first release
// checked out; then the
// release that serves is started, and the worker beside it: a restart is one of its steps, so both are in one
// container.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, load, orders, volumes } from './package.mjs';

const { readEnvironmentFile } = await load('src/io/settings');
const { processStartTime } = await load('src/io/command');

const site = process.argv[2];
const file = join(volumes, site, `${site}.yaml`);
const { root, repository, env } = (await readEnvironmentFile(file)).services.orders;
const pidFile = join(root, 'web.pid');

function checkOutFirst() {
  const commit = execFileSync('git', ['-C', repository, 'rev-parse', 'v1^{commit}'], {
    encoding: 'utf8',
  }).trim();
  const checkout = join(root, 'releases', commit);
  mkdirSync(checkout, { recursive: true });
  execFileSync('tar', ['-x', '-C', checkout], {
    input: execFileSync('git', ['-C', repository, 'archive', commit]),
  });
  writeFileSync(join(checkout, '.soakgate-build'), `${commit}\n`);
  symlinkSync(join('releases', commit), join(root, 'current'));
}

/** With the pid file of the process restarter, which is the next to start it. */
function serve() {
  mkdirSync(join(root, 'logs'), { recursive: true });
  const log = openSync(join(root, 'logs', 'web.log'), 'a');
  const own = { PATH: process.env.PATH, DATABASE_URL: process.env.DATABASE_URL, ...env };
  const app = spawn(process.execPath, ['server.mjs'], {
    cwd: join(root, 'current'),
    env: own,
    detached: true,
    stdio: ['ignore', log, log],
  });
  app.unref();
  writeFileSync(pidFile, `${app.pid} ${processStartTime(app.pid) ?? ''}\n`);
}

/** Outside a container nobody else would end it. */
function endService() {
  const [pid, startTime] = readFileSync(pidFile, 'utf8').trim().split(' ');
  if (processStartTime(Number(pid)) === startTime) process.kill(Number(pid));
}

if (!existsSync(join(root, 'current'))) {
  // Decided: no row of it waits for people, so that the first deployment goes through to the gate.
  execFileSync(process.execPath, [join(orders, 'prepare-database.mjs'), '--decided'], { stdio: 'inherit' });
  checkOutFirst();
}
serve();
const worker = spawn(process.execPath, [command, 'worker', 'environment', '--file', file], {
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => worker.kill(signal));
worker.once('exit', (code) => {
  endService();
  process.exitCode = code ?? 1;
});
