// Gives this terminal to another process of ours and ends as it ended: workers and the demo are spawned,
// never imported.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { Terminal } from './terminal.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs a script with this very Node. Resolves with its exit code, 128+n for a signal. */
export async function handOver(terminal: Terminal, script: string, args: readonly string[]): Promise<number> {
  terminal.leaving = null;
  const child = spawn(process.execPath, [script, ...args], {
    stdio: 'inherit',
    env: { ...process.env, SOAKGATE_LAUNCHER: String(process.pid) },
  });
  const pass = (signal: NodeJS.Signals) => {
    // At a terminal Ctrl-C reaches the whole process group: passing it on would make it two.
    if (signal === 'SIGINT' && process.stdin.isTTY) return;
    child.kill(signal);
  };
  for (const signal of SIGNALS) process.on(signal, pass);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return code ?? 128 + constants.signals[signal ?? 'SIGTERM'];
  } finally {
    for (const signal of SIGNALS) process.off(signal, pass);
  }
}
