// Every file of a folder by its hash, so that a test can say that nothing was written.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hashFile } from '../../src/io/files.ts';

/** `host` in the permit store is the worker's own note of where it is. */
export async function hashTree(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries
    .filter((entry) => !entry.isDirectory() && entry.name !== 'host')
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [file, (await hashFile(file)).sha256] as const)),
  );
}
