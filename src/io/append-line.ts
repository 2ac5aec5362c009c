// Adds a line to a file that is written many times, by processes that may be killed in the middle of one.
import { appendFileSync, closeSync, openSync, readSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Begins a line of its own, also behind one that a full disk or a killed process has cut off. At once, as `readIfThere`
 * reads: a step waits for it. @returns the size of the file behind it, in bytes.
 */
export async function appendLine(path: string, line: string): Promise<number> {
  const write = (): number => {
    appendFileSync(path, `${isTorn(path) ? '\n' : ''}${line}\n`, { mode: 0o600 });
    return statSync(path).size;
  };
  try {
    return write();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    // Its folder is missing once, and a line is written many times.
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    return write();
  }
}

/** Whether the file's last line has no end. */
function isTorn(path: string): boolean {
  const { size } = statSync(path, { throwIfNoEntry: false }) ?? { size: 0 };
  if (size === 0) return false;
  const file = openSync(path, 'r');
  try {
    const last = Buffer.alloc(1);
    readSync(file, last, 0, 1, size - 1);
    return last.toString() !== '\n';
  } finally {
    closeSync(file);
  }
}
