// The command as people run it: a process of its own, its two streams, its exit code.
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ENTRY = fileURLToPath(new URL('../../bin/soakgate.mjs', import.meta.url));
export const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

export interface Called {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
  /** Sends SIGINT as soon as stderr holds this. */
  readonly interruptAt?: string;
}

/** A configuration folder that is nobody's. */
export const emptyFolder = (): string => mkdtempSync(join(tmpdir(), 'sg-cli-'));

/** Runs one command to its end, without a terminal. */
export function call(
  args: readonly string[],
  { env = {}, cwd, input, interruptAt }: Surroundings = {},
): Promise<Called> {
  const child = spawn(process.execPath, [ENTRY, ...args], {
    ...(cwd !== undefined && { cwd }),
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '/',
      TEMPORAL_ADDRESS: '127.0.0.1:1',
      ...env,
    },
    stdio: 'pipe',
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
    if (interruptAt !== undefined && err.includes(interruptAt)) child.kill('SIGINT');
  });
  child.stdin.end(input ?? '');
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })));
}
