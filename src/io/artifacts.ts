// The artifact store as a directory: files under derived names, referred to by URI, sha256 and size (rule 9).
import { appendFileSync, existsSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ArtifactRef } from '../core/receipts.ts';
import { hashTree, writeWhole } from './files.ts';

export interface Artifacts {
  /** Where a name lies; its folder exists afterwards. */
  path(name: string): Promise<string>;
  put(name: string, content: string): Promise<ArtifactRef>;
  /** Takes a finished file or folder into the store under a name: flushed, then renamed. */
  adopt(name: string, from: string): Promise<ArtifactRef>;
  append(name: string, line: string): Promise<void>;
  read(name: string): Promise<string>;
  has(name: string): Promise<boolean>;
  describe(name: string): Promise<ArtifactRef>;
  remove(name: string): Promise<void>;
}

export function openArtifacts(root: string): Artifacts {
  const at = (name: string) => {
    if (name.split('/').includes('..'))
      throw new Error(`artifact name ${name} is outside the artifact store`);
    return join(root, name);
  };
  const describe = async (name: string): Promise<ArtifactRef> => ({
    name,
    uri: `artifact:${name}`,
    ...(await hashTree(at(name))),
  });
  const path = async (name: string) => {
    await mkdir(dirname(at(name)), { recursive: true, mode: 0o700 });
    return at(name);
  };
  return {
    path,
    describe,
    put: async (name, content) => {
      await writeWhole(at(name), content);
      return describe(name);
    },
    adopt: async (name, from) => {
      await path(name);
      await rm(at(name), { recursive: true, force: true });
      await rename(from, at(name)).catch(async () => cp(from, at(name), { recursive: true }));
      return describe(name);
    },
    append: async (name, line) => {
      // Its folder is missing once, and a line is written many times; at once, as `readIfThere` reads: a step
      // waits for it.
      const write = async () => appendFileSync(at(name), `${line}\n`, { mode: 0o600 });
      await write().catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
        await path(name);
        await write();
      });
    },
    read: (name) => readFile(at(name), 'utf8'),
    has: async (name) => existsSync(at(name)),
    remove: (name) => rm(at(name), { force: true, recursive: true }),
  };
}
