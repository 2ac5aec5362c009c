// A folder that somebody works in: its files by name, and what git says of it. Reads only.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './command.ts';

/** Folders in which nobody's own files lie. */
const OTHERS = new Set([
  'node_modules',
  'venv',
  'env',
  'site-packages',
  '__pycache__',
  'dist',
  'build',
  'coverage',
  'vendor',
]);
const DEEPEST = 6;
const MOST_FILES = 20_000;

/** Paths below the folder, sorted; neither hidden files nor those of packages. */
export async function listFiles(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  const walk = async (below: string, depth: number): Promise<void> => {
    for (const entry of await readdir(join(folder, below), { withFileTypes: true }).catch(() => [])) {
      if (entry.name.startsWith('.') || found.length >= MOST_FILES) continue;
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isFile()) found.push(path);
      else if (entry.isDirectory() && depth < DEEPEST && !OTHERS.has(entry.name)) await walk(path, depth + 1);
    }
  };
  await walk('', 0);
  return found.sort();
}

export interface GitFacts {
  /** Where the folder lies below the top of the checkout: `` or `backend/`. */
  readonly prefix: string;
  /**
   * The tag of the commit that is checked out, else its branch, else the commit; null before the first
   * commit.
   */
  readonly ref: string | null;
  /** The newest release before this one, by its tag, and the files of the folder as they were then. */
  readonly before: { readonly tag: string; readonly files: readonly string[] } | null;
  /** The files of the folder that are committed. */
  readonly committed: readonly string[];
}

/** What git says of a folder, or null where there is no repository. */
export async function gitFacts(folder: string): Promise<GitFacts | null> {
  const prefix = await ask(folder, ['rev-parse', '--show-prefix']);
  if (prefix === null) return null;
  const head = await ask(folder, ['rev-parse', '--verify', '--quiet', 'HEAD']);
  if (!head) return { prefix, ref: null, before: null, committed: [] };
  const own = await ask(folder, ['describe', '--tags', '--exact-match', 'HEAD']);
  const branch = await ask(folder, ['symbolic-ref', '--short', '--quiet', 'HEAD']);
  const tag = await ask(folder, ['describe', '--tags', '--abbrev=0', own ? 'HEAD^' : 'HEAD']);
  return {
    prefix,
    ref: own || branch || head,
    before: tag ? { tag, files: await filesAt(folder, tag) } : null,
    committed: await filesAt(folder, 'HEAD'),
  };
}

const filesAt = async (folder: string, ref: string): Promise<readonly string[]> =>
  ((await ask(folder, ['ls-tree', '-r', '-z', '--name-only', ref])) ?? '').split('\0').filter(Boolean);

/** One answer of git; null when it has none. */
async function ask(folder: string, args: readonly string[]): Promise<string | null> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/', LANG: 'C.UTF-8' };
  const result = await runCommand({ argv: ['git', '-C', folder, ...args], env });
  return result.exitCode === 0 ? result.stdout.replace(/\n$/u, '') : null;
}
