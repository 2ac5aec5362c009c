// The release that serves before the deployment begins: checked out, running, under traffic.
import { execFileSync, spawn } from 'node:child_process';
import { mkdir, open, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processStartTime } from '../../io/command.ts';
import { get } from '../../io/http.ts';
import type { Place } from './place.ts';

export interface Serving {
  readonly place: Place;
  readonly repository: string;
  readonly commit: string;
  readonly url: string;
  readonly env: Readonly<Record<string, string>>;
  /** Left out: the orders app's server. */
  readonly command?: readonly [string, ...string[]];
  /** Called with the new checkout, before anything is started in it. */
  readonly prepare?: (checkout: string) => Promise<void>;
}

const UP_MS = 20_000;

/** Serves a commit the way the process restarter would, with the same pid file. */
export async function serveFirstRelease({
  place,
  repository,
  commit,
  url,
  env,
  command,
  prepare,
}: Serving): Promise<void> {
  const checkout = join(place.root, 'releases', commit);
  await mkdir(checkout, { recursive: true });
  execFileSync('tar', ['-x', '-C', checkout], {
    input: execFileSync('git', ['-C', repository, 'archive', commit], { maxBuffer: 64 * 1024 * 1024 }),
  });
  await writeFile(join(checkout, '.soakgate-build'), `${commit}\n`);
  await prepare?.(checkout);
  await symlink(join('releases', commit), join(place.root, 'current'));
  await mkdir(join(place.root, 'logs'), { recursive: true });
  const log = await open(join(place.root, 'logs', 'web.log'), 'a');
  const [program, ...args] = command ?? [process.execPath, 'server.mjs'];
  const child = spawn(program, args, {
    cwd: join(place.root, 'current'),
    env: { PATH: process.env['PATH'] ?? '', ...env },
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  child.unref();
  await log.close();
  await writeFile(join(place.root, 'web.pid'), `${child.pid} ${processStartTime(child.pid ?? 0) ?? ''}\n`);
  const deadline = Date.now() + UP_MS;
  while ((await get(`${url}/health`)).status !== 200) {
    if (Date.now() > deadline)
      throw new Error(
        `the application does not start in ${place.environment}; see ${join(place.root, 'logs', 'web.log')}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
