// Files that survive a crash: written beside, flushed, renamed; and files written once.
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

/** Writes whole or not at all, and is on disk when it returns. Mode is 0600 unless said otherwise. */
export async function writeWhole(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const beside = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}.tmp`;
  try {
    const file = await open(beside, 'wx', mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    // A full disk must not stay full of halves.
    await rm(beside, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Keeps the first content ever written under this path, and returns what is kept. */
export async function writeOnce(path: string, content: string): Promise<string> {
  const kept = await readIfThere(path);
  if (kept !== undefined) return kept;
  await writeWhole(path, content);
  return content;
}

/**
 * The content, or undefined when there is no such file. For small files: read at once, because each activity
 * asks for two, and four ways through the
 * thread pool for each took half a millisecond of a step's two.
 */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Removes a file that may not be there. */
export async function removeIfThere(path: string): Promise<void> {
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

/** A rename is durable only once its folder is flushed. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** sha256 in hex and size in bytes of a file, read once. */
export async function hashFile(path: string): Promise<{ sha256: string; size: number }> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return { sha256: hash.digest('hex'), size: (await stat(path)).size };
}

/** The same of a folder as of a file: the hash is that of its files' names and hashes, the size their sum. */
export async function hashTree(path: string): Promise<{ sha256: string; size: number }> {
  if (!(await stat(path)).isDirectory()) return hashFile(path);
  const names = (await readdir(path, { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  );
  const paths = names.map((entry) => join(entry.parentPath, entry.name)).sort();
  const hashed = await Promise.all(
    paths.map(async (file) => ({ name: relative(path, file), ...(await hashFile(file)) })),
  );
  return {
    sha256: sha256(hashed.map(({ name, sha256: hash }) => `${hash}  ${name}\n`).join('')),
    size: hashed.reduce((sum, { size }) => sum + size, 0),
  };
}

/** sha256 in hex of a text. */
export function sha256(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * For `.catch`: what stands for a file or folder that is not there; any other failure to read stays a
 * failure.
 */
export const ifAbsent =
  <T>(instead: T) =>
  (error: NodeJS.ErrnoException): T => {
    if (error.code === 'ENOENT') return instead;
    throw error;
  };
