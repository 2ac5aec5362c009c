// Paths of a release as `init` walks them.
import type { ReleaseFiles } from './migrator.ts';

export const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);
export const depthOf = (path: string): number => path.split('/').length;

/** The one of that name that lies least deep, at most `deepest` folders down. */
export function nearestFile(
  { files }: Pick<ReleaseFiles, 'files'>,
  name: string,
  deepest = 2,
): string | undefined {
  const named = files.filter((file) => file === name || file.endsWith(`/${name}`));
  return named.filter((file) => depthOf(file) <= deepest).sort((a, b) => depthOf(a) - depthOf(b))[0];
}

/**
 * Folder → names of the migrations in it, as the pattern's first two groups give them; the fullest folder
 * first.
 */
export function byFolder(
  files: readonly string[],
  pattern: RegExp,
): readonly (readonly [folder: string, names: readonly string[]])[] {
  const places = new Map<string, string[]>();
  for (const file of files) {
    const [, place = '', name] = pattern.exec(file) ?? [];
    if (name !== undefined) places.set(place, [...(places.get(place) ?? []), name]);
  }
  return [...places].sort((a, b) => b[1].length - a[1].length || depthOf(a[0]) - depthOf(b[0]));
}

/** A file of a folder, whose path may be empty. */
export const within = (folder: string, file: string): string => (folder === '' ? file : `${folder}/${file}`);

/** The names in one of these folders. */
export const namesIn = (files: readonly string[], pattern: RegExp, at: string): readonly string[] =>
  byFolder(files, pattern).find(([folder]) => folder === at)?.[1] ?? [];
