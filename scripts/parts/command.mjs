// Runs the programs that bring parts: output is kept for the failure's message, and nothing outlives us.
import { execFileSync, spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { constants as system } from 'node:os';
import { delimiter, join, sep } from 'node:path';
import { failure } from './announce.mjs';

const kept = 64_000;
const shown = 20;
const minute = 60_000;

/**
 * PATH without any node_modules/.bin: `npm ci` deletes that folder, and with it a `node` or `npm` found
 * there.
 */
export const cleanPath = () =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder && !folder.includes(`node_modules${sep}.bin`))
    .join(delimiter);

export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

export function findOnPath(name) {
  for (const folder of cleanPath().split(delimiter)) {
    const path = join(folder, name);
    if (isExecutable(path)) return path;
  }
  return undefined;
}

/**
 * Runs to the end, at most `limitMs`; what it printed is shown only when it failed: the end of it, or the
 * beginning for a program that closes with its usage.
 */
export function run(program, args, { cwd, env, next, tellsFirst = false, limitMs = 15 * minute }) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, PATH: cleanPath(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let printed = '';
    const keep = (chunk) => (printed = (printed + chunk).slice(-kept));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    let late = false;
    const limit = setTimeout(() => {
      late = true;
      endGroup(child, 'SIGKILL');
    }, limitMs);
    const stop = (signal) => {
      endGroup(child, signal);
      process.exit(128 + system.signals[signal]);
    };
    process.once('SIGINT', stop).once('SIGTERM', stop);
    const forget = () => {
      clearTimeout(limit);
      process.off('SIGINT', stop).off('SIGTERM', stop);
    };
    child.on('error', (error) => {
      forget();
      reject(failure(`${program} could not be started: ${error.message}`, next));
    });
    child.on('close', (code, signal) => {
      forget();
      if (code === 0) return resolve();
      const lines = printed.trim().split('\n');
      const excerpt = tellsFirst ? lines.slice(0, shown) : lines.slice(-shown);
      const how = late ? `did not end within ${limitMs / minute} min` : `ended with ${signal ?? code}`;
      reject(failure(`${program} ${args.join(' ')} ${how}:\n${excerpt.join('\n')}`, next));
    });
  });
}

/** With whatever it has started: npm's scripts and Go's compilers hold the pipes open. */
function endGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It is gone.
  }
}

/** The first line a program prints about its version, or `unknown`. */
export function askVersion(program, args = ['--version']) {
  try {
    return execFileSync(program, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 10_000,
    })
      .split('\n')[0]
      .trim();
  } catch {
    return 'unknown';
  }
}
