// Whether a folder is this user's alone: who else may write into it could put files in the place of ours.
import { statSync } from 'node:fs';

/** Modes of group and others that let them write. */
const WRITE_BY_OTHERS = 0o022;

/**
 * What is wrong with `folder`, which the file or option `what` names, with the command that helps; null where all is
 * well, or where it is not there yet and is made as it should be.
 */
export function folderComplaint(what: string, folder: string): string | null {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (!found) return null;
  if (!found.isDirectory())
    return `${what}: ${folder} is no folder; name one that only the worker's user may write to`;
  const user = process.getuid?.() ?? found.uid;
  if (found.uid !== user)
    return `${what}: ${folder} belongs to another user (uid ${found.uid}); run: chown -R ${user} ${folder}`;
  return (found.mode & WRITE_BY_OTHERS) === 0
    ? null
    : `${what}: ${folder} may be written to by others; run: chmod -R go-w ${folder}`;
}

/** @throws Error with a line for each folder with which something is wrong. */
export function ownFolders(folders: Readonly<Record<string, string>>): void {
  const wrong = Object.entries(folders).flatMap(([what, folder]) => folderComplaint(what, folder) ?? []);
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
}
