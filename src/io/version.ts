// The version of this program: that of the nearest package.json above this file, in a checkout and in the
// built package.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** @returns e.g. `0.1.0`. */
export function ownVersion(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) {
    const above = dirname(folder);
    if (above === folder)
      throw new Error(`no package.json above ${import.meta.dirname}: install the package again`);
    folder = above;
  }
  return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version;
}
