// What this worker reads again must be what it wrote: others may write to the artifact store, also in the moment between
// a look at a hash and the use. So it is used from a copy of the worker's own.
import { constants } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import type { ArtifactRef } from '../../src/core/receipts.ts';
import { hashTree } from '../../src/io/files.ts';
import type { Work } from './step-context.ts';

/**
 * Copies an artifact into the worker's own folder while `use` runs. `changed` throws where the copy is not what was
 * kept, or nothing is there to copy.
 */
export async function withOwnCopy<T>(
  work: Pick<Work, 'world' | 'rollout' | 'tag'>,
  kept: Pick<ArtifactRef, 'name' | 'sha256'>,
  changed: (isGone: boolean) => never,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const from = await work.world.artifacts.path(kept.name);
  const file = `${kept.name.replaceAll('/', '-')}.${work.tag.split(':').at(-1)}`;
  const own = await work.world.permitStore.working(work.rollout, file);
  try {
    await rm(own, { recursive: true, force: true });
    // Where the file system can, it is no copy but the same blocks.
    await cp(from, own, { recursive: true, mode: constants.COPYFILE_FICLONE }).catch(
      (error: NodeJS.ErrnoException) => {
        // A full disk is not a dump that is gone.
        if (error.code === 'ENOENT') changed(true);
        throw error;
      },
    );
    if ((await hashTree(own)).sha256 !== kept.sha256) changed(false);
    return await use(own);
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}
