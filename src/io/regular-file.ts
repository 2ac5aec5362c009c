// Reads files that others have laid there: never through a link, never from a pipe that keeps one waiting, and never
// more than was said.
import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants;

/** What cannot be read as a file, and why. */
export class NotAFile extends Error {
  override readonly name = 'NotAFile';
}

/** In words, what stands where a file was expected; null for a file. */
export function oddity(
  found: Pick<Stats, 'isFile' | 'isDirectory' | 'isSymbolicLink' | 'isFIFO' | 'isSocket'>,
) {
  if (found.isFile()) return null;
  if (found.isDirectory()) return 'a folder';
  if (found.isSymbolicLink()) return 'a link';
  if (found.isFIFO()) return 'a pipe';
  return found.isSocket() ? 'a socket' : 'a device';
}

export interface ReadLimits {
  /** The most bytes that are read. */
  readonly most: number;
  /** Whether a link is followed; what it leads to is a file all the same. */
  readonly throughLink?: boolean;
}

/**
 * The text of a regular file, or undefined where there is nothing.
 * @throws NotAFile for a link, pipe, folder, socket or device, and for a file that is larger than `most`.
 */
export async function readRegular(
  path: string,
  { most, throughLink }: ReadLimits,
): Promise<string | undefined> {
  return withRegular(path, throughLink === true, async (file, size) => {
    if (size > most) throw new NotAFile(`is larger than ${most} bytes`);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, 0);
    return buffer.subarray(0, bytesRead).toString('utf8');
  });
}

/** sha256 in hex and size in bytes of a regular file, or undefined where there is none. @throws NotAFile. */
export async function hashRegular(path: string): Promise<{ sha256: string; size: number } | undefined> {
  return withRegular(path, false, async (file) => {
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of file.createReadStream({ autoClose: false })) {
      hash.update(chunk as Buffer);
      size += (chunk as Buffer).length;
    }
    return { sha256: hash.digest('hex'), size };
  });
}

/** Opened first and looked at then: what was a file when it was listed may be a pipe when it is opened. */
async function withRegular<T>(
  path: string,
  throughLink: boolean,
  work: (file: FileHandle, size: number) => Promise<T>,
): Promise<T | undefined> {
  const file = await open(path, O_RDONLY | O_NONBLOCK | (throughLink ? 0 : O_NOFOLLOW)).catch(whyNot);
  if (!file) return undefined;
  try {
    const found = await file.stat();
    const odd = oddity(found);
    if (odd !== null) throw new NotAFile(`is ${odd}, not a file`);
    return await work(file, found.size);
  } finally {
    await file.close();
  }
}

function whyNot({ code, message }: NodeJS.ErrnoException): undefined {
  if (code === 'ENOENT') return undefined;
  if (code === 'ELOOP') throw new NotAFile('is a link, not a file');
  if (code === 'ENXIO') throw new NotAFile('is a socket or a device, not a file');
  if (code === 'ENOTDIR') throw new NotAFile('lies in something that is no folder');
  if (code === 'ENAMETOOLONG') throw new NotAFile('has a name that is too long');
  if (code === 'EACCES' || code === 'EPERM') throw new NotAFile('may not be read by you');
  throw new NotAFile(`cannot be read: ${message}`);
}
