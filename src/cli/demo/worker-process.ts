// A worker as a process of its own, as in production: spawned, never imported.
import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { existsSync, readFileSync } from 'node:fs';
import { endProcess } from '../../io/dev-server.ts';

export interface WorkerProcess {
  readonly pid: () => number;
  /** `kill -9`, without warning. */
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface WorkerSpec {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly log: string;
}

const READY_MS = 60_000;
/** What makes a start cheaper and changes nothing else. */
const PASSED_ON = ['NODE_COMPILE_CACHE', 'SOAKGATE_WORKFLOW_BUNDLE'];

/** A program of the worker's folder: the source in a checkout, the built file in a package. */
export function workerEntry(name: 'main' | 'replay-check' = 'main'): string {
  const source = fileURLToPath(new URL(`../../../worker/${name}.ts`, import.meta.url));
  return existsSync(source) ? source : source.replace(/\.ts$/u, '.js');
}

/** Starts a worker and waits until it says that it is ready. */
export async function startWorker(spec: WorkerSpec): Promise<WorkerProcess> {
  let child: ChildProcess | undefined;
  const start = async () => {
    const log = await open(spec.log, 'a');
    const from = existsSync(spec.log) ? readFileSync(spec.log, 'utf8').length : 0;
    const started = spawn(process.execPath, [workerEntry(), ...spec.args], {
      cwd: spec.cwd,
      env: {
        ...Object.fromEntries(
          PASSED_ON.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
        ),
        ...spec.env,
      },
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
    });
    await log.close();
    child = started;
    const deadline = Date.now() + READY_MS;
    while (!readFileSync(spec.log, 'utf8').slice(from).includes('worker is ready')) {
      if (started.exitCode !== null || Date.now() > deadline)
        throw new Error(
          `the worker ${spec.args.join(' ')} does not come up; see ` +
            `${spec.log}:\n${readFileSync(spec.log, 'utf8').slice(-2_000)}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  await start();
  return {
    pid: () => child?.pid ?? 0,
    kill: async () => child && endProcess(child, 'SIGKILL'),
    start,
    stop: async () => child && endProcess(child, 'SIGTERM', 10_000),
  };
}
