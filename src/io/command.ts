// The one door to other programs (execa): own process group, noted pid, killed with its worker where possible
// (rule 4).
import { existsSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { removeIfThere, writeWhole, readIfThere, ifAbsent } from './files.ts';

export interface CommandInput {
  readonly argv: readonly string[];
  readonly cwd?: string;
  /** The whole environment of the command; nothing is inherited but what stands here. */
  readonly env: Readonly<Record<string, string>>;
  /** Folder in which the running command is noted, so that a later attempt can end it. */
  readonly notes?: string;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  readonly input?: string;
  /** Nothing is read of what it prints: it has ended when it exits, whatever its children hold open. */
  readonly silent?: true;
}

export interface CommandResult {
  readonly exitCode: number | null;
  readonly killedBy: string | null;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
  readonly tookMs: number;
}

const MAX_BUFFER = 8 * 1024 * 1024;
const KILL_AFTER_MS = 5_000;

/**
 * Runs one command to its end. A non-zero exit is a result, not an error.
 * When `signal` fires, the whole process group is ended before this returns.
 */
export async function runCommand(input: CommandInput): Promise<CommandResult> {
  const started = performance.now();
  const [program, ...args] = guarded(input.argv);
  const child = execa(program!, args, {
    ...(input.cwd && { cwd: input.cwd }),
    env: input.env,
    extendEnv: false,
    detached: true,
    cleanup: false,
    reject: false,
    maxBuffer: MAX_BUFFER,
    stripFinalNewline: false,
    ...(input.silent && { stdout: 'ignore' as const, stderr: 'ignore' as const }),
    ...(input.input === undefined ? { stdin: 'ignore' as const } : { input: input.input }),
  });
  const reaper = reapWhen(child.pid, input.signal, input.timeoutMs);
  const note = await noteProcess(input, child.pid).catch(async (error: unknown) => {
    // What cannot be noted could not be ended by a later attempt.
    reaper.end();
    await child;
    reaper.stop();
    throw error;
  });
  const result = await child;
  reaper.stop();
  if (note) await removeIfThere(note);
  return {
    exitCode: result.exitCode ?? null,
    killedBy: result.signal ?? null,
    timedOut: reaper.timedOut(),
    stdout: result.stdout ?? '',
    stderr:
      result.stderr || (result.exitCode === undefined && !result.signal ? (result.shortMessage ?? '') : ''),
    tookMs: performance.now() - started,
  };
}

/** `setpriv --pdeathsig KILL` ends the command with its worker; it does not reach grandchildren. */
function guarded(argv: readonly string[]): readonly string[] {
  const setpriv =
    process.env['SOAKGATE_SETPRIV'] === 'never'
      ? undefined
      : findProgram('setpriv', process.env['PATH'] ?? '');
  return setpriv ? [setpriv, '--pdeathsig', 'KILL', '--', ...argv] : argv;
}

/** Where a program lies on a search path. */
export function findProgram(name: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((candidate) => existsSync(candidate));
}

function reapWhen(pid: number | undefined, signal: AbortSignal | undefined, timeoutMs: number | undefined) {
  let late = false;
  let force: NodeJS.Timeout | undefined;
  const end = () => {
    if (pid === undefined) return;
    killGroup(pid, 'SIGTERM');
    force = setTimeout(() => killGroup(pid, 'SIGKILL'), KILL_AFTER_MS);
  };
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          late = true;
          end();
        }, timeoutMs);
  if (signal?.aborted) end();
  signal?.addEventListener('abort', end);
  return {
    end,
    timedOut: () => late,
    stop: () => {
      clearTimeout(timer);
      clearTimeout(force);
      signal?.removeEventListener('abort', end);
    },
  };
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone, which is what was wanted.
  }
}

interface ProcessNote {
  readonly pid: number;
  readonly startTime: string;
}

async function noteProcess(input: CommandInput, pid: number | undefined): Promise<string | undefined> {
  if (!input.notes || pid === undefined) return undefined;
  const startTime = processStartTime(pid);
  if (startTime === undefined) return undefined;
  const path = join(input.notes, `${pid}.json`);
  await writeWhole(path, JSON.stringify({ pid, startTime } satisfies ProcessNote));
  return path;
}

/** Field 22 of /proc/<pid>/stat: with the pid it names a process for good. Undefined when it is gone. */
export function processStartTime(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/**
 * Ends every command noted by an earlier attempt and waits until it is gone.
 * @returns the pids that had to be ended.
 */
export async function endNotedProcesses(notes: string, waitMs = 10_000): Promise<readonly number[]> {
  const names = await readdir(notes).catch(ifAbsent([] as string[]));
  const ended: number[] = [];
  for (const name of names.filter((candidate) => candidate.endsWith('.json'))) {
    const text = await readIfThere(join(notes, name));
    const note = text ? (JSON.parse(text) as ProcessNote) : undefined;
    if (note && processStartTime(note.pid) === note.startTime) {
      killGroup(note.pid, 'SIGKILL');
      await untilGone(note, waitMs);
      ended.push(note.pid);
    }
    await removeIfThere(join(notes, name));
  }
  return ended;
}

async function untilGone(note: ProcessNote, waitMs: number): Promise<void> {
  const deadline = performance.now() + waitMs;
  while (processStartTime(note.pid) === note.startTime) {
    if (performance.now() > deadline)
      throw new Error(`process ${note.pid} of an earlier attempt does not stop`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
