// The new whole lines of a log since a place in it, across rotations. Bounded: what is not read now is read
// next time.
import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Where reading goes on: `inode:bytes`. */
export type Place = string;

export interface NewLines {
  readonly lines: readonly string[];
  readonly place: Place;
  /** Lines are gone that were never read: the file they stood in was taken away or cut off. */
  readonly lost: boolean;
}

const LARGEST_READ = 16 * 1024 * 1024;

/**
 * Without a place nothing is read: what was written before is no business of this observation. @throws Error
 * when the file is not there.
 */
export async function followFile(path: string, from: Place | undefined): Promise<NewLines> {
  const now = await stat(path);
  if (from === undefined) return { lines: [], place: `${now.ino}:${now.size}`, lost: false };
  const [inode, offset] = from.split(':').map(Number) as [number, number];
  if (inode === now.ino)
    return now.size < offset ? cutOff(path, now) : readFrom([{ path, inode, from: offset }]);
  const files = await rotated(path);
  const last = files.findIndex((file) => file.inode === inode);
  const unread = files.slice(last + 1).map((file) => ({ ...file, from: 0 }));
  const rest = last < 0 ? [] : [{ ...files[last]!, from: offset }];
  const read = await readFrom([...rest, ...unread, { path, inode: now.ino, from: 0 }]);
  return last < 0 ? { ...read, lost: true } : read;
}

/**
 * Copied away and emptied in place: what stood behind our place in between is in the copy, and nobody says in
 * which.
 */
async function cutOff(path: string, { ino }: { ino: number }): Promise<NewLines> {
  return { ...(await readFrom([{ path, inode: ino, from: 0 }])), lost: true };
}

interface Part {
  readonly path: string;
  readonly inode: number;
  readonly from: number;
}

/** `NAME.1`, `NAME-20261128` and the like that are still plain, the oldest first. */
async function rotated(path: string): Promise<readonly { readonly path: string; readonly inode: number }[]> {
  const name = basename(path);
  const others = (await readdir(dirname(path))).filter(
    (other) => other !== name && other.startsWith(name) && !/\.(?:gz|xz|bz2|zst)$/u.test(other),
  );
  const found = await Promise.all(
    others.map(async (other) => ({
      path: join(dirname(path), other),
      about: await stat(join(dirname(path), other)),
    })),
  );
  return found
    .filter(({ about }) => about.isFile())
    .toSorted(
      (one, other) =>
        one.about.mtimeMs - other.about.mtimeMs ||
        numberOf(other.path) - numberOf(one.path) ||
        (one.path < other.path ? -1 : 1),
    )
    .map(({ path: where, about }) => ({ path: where, inode: about.ino }));
}

/** Of two that were written within one tick of the clock the one with the higher number is older. */
const numberOf = (path: string): number => Number(/\.(\d{1,4})$/u.exec(path)?.[1] ?? 0);

async function readFrom(parts: readonly Part[]): Promise<NewLines> {
  const lines: string[] = [];
  let left = LARGEST_READ;
  let place = '';
  for (const [at, part] of parts.entries()) {
    const text = await readPart(part, left);
    const more = text.length === left;
    const written = at === parts.length - 1;
    // Of a file that is still written, or not read to its end, the last line may be half.
    const whole = written || more ? text.subarray(0, text.lastIndexOf(0x0a) + 1) : text;
    lines.push(
      ...whole
        .toString('utf8')
        .split('\n')
        .filter((line) => line !== ''),
    );
    left -= whole.length;
    place = `${part.inode}:${part.from + whole.length}`;
    if (more) break;
  }
  return { lines, place, lost: false };
}

async function readPart({ path, from }: Part, most: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const buffer = Buffer.alloc(Math.min(most, Math.max(0, (await file.stat()).size - from)));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
