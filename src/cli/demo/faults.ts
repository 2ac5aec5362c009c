// The faults that `--break` injects, one each: into the application, its release, its worker or PostgreSQL's
// programs.
import { chmod, copyFile, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Progress } from '../../../workflows/progress.ts';
import type { Scene, SceneOptions } from './scene.ts';
import { ORDERS } from './site.ts';

export type Fault = 'worker' | 'migration' | 'soak' | 'probe' | 'backup';
export const faults: readonly Fault[] = ['worker', 'migration', 'soak', 'probe', 'backup'];

/** What a fault changes before the scene is raised. */
export function beforehand(fault: Fault | null): Pick<SceneOptions, 'appFault' | 'wrapPrograms'> {
  if (fault === 'probe') return { appFault: '0002_order_guards.misses-a-constraint' };
  if (fault === 'backup') return { wrapPrograms: damagingDump };
  return {};
}

/** Called with every look at staging's progress; injects its fault once, at the right moment. */
export function injector(
  fault: Fault | null,
  scene: Scene,
  say: (text: string) => void,
): (staging: Progress) => Promise<void> {
  let done = false;
  return async (staging) => {
    if (done) return;
    if (fault === 'migration' && passed(staging, 'preview')) {
      done = true;
      const commit = await commitOf(scene);
      await copyFile(
        join(ORDERS, 'faults', '0003_order_totals.fails-half-way.sql'),
        join(scene.sites.staging.place.root, 'releases', commit, 'migrations', '0003_order_totals.sql'),
      );
      say('--break migration: the second migration will fail half-way');
    } else if (fault === 'soak' && inSoak(staging)) {
      done = true;
      await writeFile(scene.sites.staging.faultFile, JSON.stringify({ errorRate: 0.9 }));
      say('--break soak: the application now fails nine requests of ten');
    } else if (fault === 'worker' && inSoak(staging)) {
      done = true;
      const { worker } = scene.sites.staging;
      say(`--break worker: kill -9 of staging's worker (pid ${worker.pid()}), started again after a second`);
      await worker.kill();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      await worker.start();
    }
  };
}

const passed = (progress: Progress, name: string): boolean =>
  progress.lines.some((line) => line.name === name && line.state === 'pass');
const inSoak = (progress: Progress): boolean => progress.phase === 'soak' && progress.metrics.length > 0;

/** The newest checkout is the one that is being deployed. */
async function commitOf(scene: Scene): Promise<string> {
  const { root } = scene.sites.staging.place;
  const { readlink } = await import('node:fs/promises');
  const serving = (await readlink(join(root, 'current'))).split('/').at(-1);
  return (await readdir(join(root, 'releases'))).find(
    (name) => name !== serving && /^[0-9a-f]{40}$/u.test(name),
  )!;
}

/** PostgreSQL's own programs, but for a pg_dump that flips bytes in the middle of what it has written. */
async function damagingDump(folder: string, bin: string): Promise<string> {
  await mkdir(folder);
  for (const name of await readdir(bin))
    if (name !== 'pg_dump') await symlink(join(bin, name), join(folder, name));
  const script = `#!/bin/sh
${join(bin, 'pg_dump')} "$@" || exit $?
while [ $# -gt 0 ]; do [ "$1" = --file ] && file=$2; shift; done
[ -n "$file" ] || exit 0
size=$(stat -c %s "$file")
head -c 512 /dev/urandom | dd of="$file" bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
`;
  await writeFile(join(folder, 'pg_dump'), script);
  await chmod(join(folder, 'pg_dump'), 0o755);
  return folder;
}
