// Gives this terminal to another process and ends as it ended.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';

/** Resolves with the exit code, 128+n for a signal. */
export async function handOver(program, args, env = process.env) {
  const child = spawn(program, args, { stdio: 'inherit', env });
  const passed = new Set();
  const pass = (signal) => {
    // At a terminal Ctrl-C reaches the whole process group: passing it on would make it two, and a second one
    // means haste.
    const alreadyThere = signal === 'SIGINT' && process.stdin.isTTY;
    if (!alreadyThere && !passed.has(signal)) child.kill(signal);
    passed.add(signal);
  };
  process.on('SIGINT', pass).on('SIGTERM', pass);
  try {
    const [code, signal] = await once(child, 'exit');
    return signal ? 128 + constants.signals[signal] : code;
  } finally {
    process.off('SIGINT', pass).off('SIGTERM', pass);
  }
}
