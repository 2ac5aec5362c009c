// A program on a pseudo-terminal, as a person sits there: what it draws, what the person types, how it ends.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { screenAfter, type Size } from './screen.ts';

export interface PseudoTerminal {
  /** Everything written so far: without colours, with the cursor's movements. */
  written(): string;
  /** What stands on the screen now, and above it. */
  screen(): readonly string[];
  /**
   * Waits until it is written, after what was seen before. @throws Error with the end of the screen when it
   * never comes.
   */
  sees(what: RegExp): Promise<RegExpExecArray>;
  type(keys: string): void;
  /** The exit code, 128+n for a signal. @throws Error with the end of the screen when it goes on. */
  ended(): Promise<number>;
  /** The person closes the window. */
  close(): Promise<void>;
}

export const ENTER = '\r';
export const CTRL_C = '\u0003';
const PATIENCE_MS = 300_000;
const ENDS_MS = 60_000;
const SHOWN = 40;
// oxlint-disable-next-line no-control-regex -- a terminal's colours begin with escape
const COLOURS = /\u001b\[[\d;]*m/gu;

/** `script` makes the terminal: it is part of every Debian, and Node has none of its own. */
export async function openPseudoTerminal(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  size: Size,
): Promise<PseudoTerminal> {
  const quoted = argv.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  const command = `stty cols ${size.columns} rows ${size.rows} && exec ${quoted}`;
  const child = spawn(
    'script',
    ['--quiet', '--return', '--flush', '--echo', 'always', '--command', command, '/dev/null'],
    {
      env: { ...env, SHELL: '/bin/sh', TERM: 'xterm' },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const closed = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
  await once(child, 'spawn').catch((error: Error) => {
    throw new Error(
      `no pseudo-terminal without the program script (${error.message}): apt-get install bsdutils`,
    );
  });
  return attach(child, closed, size);
}

function attach(child: ChildProcess, closed: Promise<number>, size: Size): PseudoTerminal {
  let [raw, seen, over] = ['', 0, false];
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => (raw += chunk));
  // Who types to a program that has just ended gets an EPIPE; what is missing on the screen says more.
  child.stdin!.on('error', () => undefined);
  void closed.then(() => (over = true));
  const written = () => raw.replaceAll(COLOURS, '');
  const screen = () => screenAfter(written(), size);
  const end = () => screen().slice(-SHOWN).join('\n');
  const sees = async (what: RegExp): Promise<RegExpExecArray> => {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const found = what.exec(written().slice(seen));
      if (found) {
        seen += found.index + found[0].length;
        return found;
      }
      const never = over ? 'before it ended' : signal.aborted ? `in ${PATIENCE_MS / 1000} s` : null;
      if (never) throw new Error(`${String(what)} was not written ${never}; the screen:\n${end()}`);
      await Promise.race([once(child.stdout!, 'data', { signal }).catch(() => undefined), closed]);
    }
  };
  return {
    written,
    screen,
    sees,
    type: (keys) => void child.stdin!.write(keys),
    ended: async () => {
      const signal = AbortSignal.timeout(ENDS_MS);
      const late = once(signal, 'abort').then(() => {
        throw new Error(`it has not ended in ${ENDS_MS / 1000} s; the screen:\n${end()}`);
      });
      return Promise.race([closed, late]);
    },
    close: async () => {
      // Without its other end the kernel hangs up the terminal; on SIGTERM script would kill what runs there
      // itself.
      child.kill('SIGKILL');
      await closed;
    },
  };
}
