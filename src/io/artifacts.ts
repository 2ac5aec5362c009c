// The artifact store as a directory: files under derived names, referred to by URI, sha256 and size (rule 9).
import { existsSync, lstatSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail } from '../core/failures.ts';
import type { ArtifactRef } from '../core/receipts.ts';
import { hashTree, writeWhole } from './files.ts';
import { appendLine } from './append-line.ts';

export interface Artifacts {
  /** Where a name lies; its folder exists afterwards. */
  path(name: string): Promise<string>;
  put(name: string, content: string): Promise<ArtifactRef>;
  /** Takes a finished file or folder into the store under a name: flushed, then renamed. */
  adopt(name: string, from: string): Promise<ArtifactRef>;
  /**
   * Begins a line of its own, also behind one that a full disk or a killed process has cut off.
   * @returns the size of the file behind it, in bytes.
   */
  append(name: string, line: string): Promise<number>;
  read(name: string): Promise<string>;
  has(name: string): Promise<boolean>;
  describe(name: string): Promise<ArtifactRef>;
  remove(name: string): Promise<void>;
}

export function openArtifacts(root: string): Artifacts {
  const at = (name: string) => placeIn(root, name);
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
      if (lstatSync(at(name), { throwIfNoEntry: false })?.isDirectory())
        fail('ARTIFACT_REFUSED', `${at(name)} is a folder, where a file is written`);
      await writeWhole(at(name), content);
      return describe(name);
    },
    adopt: async (name, from) => {
      await path(name);
      await rm(at(name), { recursive: true, force: true });
      await rename(from, at(name)).catch(async () => cp(from, at(name), { recursive: true }));
      return describe(name);
    },
    append: async (name, line) => appendLine(at(name), line),
    read: async (name) => readFile(at(name), 'utf8'),
    has: async (name) => existsSync(at(name)),
    remove: async (name) => rm(at(name), { force: true, recursive: true }),
  };
}

/**
 * Where a name lies: below the store, through folders only, and as a file or folder where something is there.
 * @throws StepFailure ARTIFACT_REFUSED for a link or a pipe, which somebody has planted, and for a name that is none.
 */
function placeIn(root: string, name: string): string {
  const parts = name.split('/');
  if (parts.some((part) => ['', '.', '..'].includes(part) || part.includes('\0')))
    fail('ARTIFACT_REFUSED', `artifact name ${JSON.stringify(name)} is outside the artifact store`);
  let place = root;
  for (const part of parts) {
    place = join(place, part);
    const found = lstatSync(place, { throwIfNoEntry: false });
    if (!found) break;
    if (!found.isDirectory() && !found.isFile())
      fail(
        'ARTIFACT_REFUSED',
        `${place} is a ${found.isSymbolicLink() ? 'link' : 'special file'}, no artifact`,
      );
  }
  return join(root, ...parts);
}
