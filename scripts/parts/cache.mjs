// Where parts are kept: outside the checkout, so that a fresh clone finds them. Each comes whole or not at
// all.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from './announce.mjs';

const beat = 2_000;
const abandoned = 15_000;

export const cacheRoot = () =>
  process.env.SOAKGATE_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'soakgate');
export const cached = (...names) => join(cacheRoot(), ...names);

/**
 * Builds a folder of the cache beside its place and renames it there; of two runs at once the second waits
 * for the first.
 */
export async function installOnce(folder, build) {
  await alone(folder, async () => {
    if (existsSync(folder)) return;
    sweep(folder);
    const draft = `${folder}.${process.pid}.draft`;
    mkdirSync(draft, { recursive: true });
    try {
      await build(draft);
      place(draft, folder);
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
  });
}

/**
 * Holds `<name>.lock` while `work` runs. The lock is touched as long as its holder lives; an untouched one is
 * taken over.
 */
export async function alone(name, work) {
  const lock = `${name}.lock`;
  mkdirSync(dirname(lock), { recursive: true });
  for (let told = false; !take(lock); told = true) {
    if (!told) say(`another run is bringing ${basename(name)}; waiting for it`);
    await sleep(250);
  }
  const release = () => drop(lock);
  process.once('exit', release);
  const beating = setInterval(() => touch(lock), beat);
  try {
    return await work();
  } finally {
    clearInterval(beating);
    process.off('exit', release);
    release();
  }
}

function take(lock) {
  try {
    mkdirSync(lock);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (age(lock) > abandoned) drop(lock);
    return false;
  }
}

function drop(lock) {
  try {
    rmdirSync(lock);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}

function age(lock) {
  return Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
}

function touch(lock) {
  try {
    utimesSync(lock, new Date(), new Date());
  } catch {
    // Taken over while this process slept: the rename at the end decides, and the loser drops its draft.
  }
}

function sweep(folder) {
  const drafts = new RegExp(`^${basename(folder).replaceAll('.', '\\.')}\\.\\d+\\.draft$`);
  for (const name of readdirSync(dirname(folder)))
    if (drafts.test(name)) rmSync(join(dirname(folder), name), { recursive: true, force: true });
}

function place(draft, folder) {
  try {
    renameSync(draft, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  }
}

/** Bytes below a folder, for the announcement. */
export function sizeOf(folder) {
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath ?? entry.path, entry.name)).size;
  }
  return `${Math.round(bytes / 1e6)} MB`;
}
