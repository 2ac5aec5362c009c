// A plain process with its own session and pid file. Not under setpriv and not in our group: it outlives the
// worker.
import { spawn } from 'node:child_process';
import { mkdir, open, readFile, stat } from 'node:fs/promises';
import { constants } from 'node:fs';
import { dirname, join } from 'node:path';
import { fail } from '../../src/core/failures.ts';
import type { RestarterOptions } from '../../src/core/plan/restarters/index.ts';
import { processStartTime } from '../../src/io/command.ts';
import { readIfThere, writeWhole } from '../../src/io/files.ts';
import { sessionListens } from '../../src/io/listening.ts';
import { redact, tail } from '../../src/io/redact.ts';
import { resolveSecret } from '../../src/io/settings.ts';
import { baseEnvironment, commandValue } from '../frame/commands.ts';
import { ownFile } from '../frame/own-files.ts';
import type { Work } from '../frame/step-context.ts';
import { runtimeOf } from '../runtimes/index.ts';
import { untilReady } from './ready.ts';
import type { Restarter } from './restarter.ts';

type Options = RestarterOptions['process'];

const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
const STOP_MS = 10_000;
/** USER_HZ of Linux, in which /proc counts. */
const TICKS_A_SECOND = 100;
/** The time of the start of the machine is told in whole seconds. */
const ROUNDING_S = 2;

export const processRestarter: Restarter<'process'> = {
  tools: [],
  restart: async (work, service) => {
    const { options } = service;
    const pidFile = await pidFileOf(work, options);
    const stopped = await stop(pidFile);
    const log = join(work.service.root, 'logs', `${service.name}.log`);
    const pid = await start(work, options, pidFile, log);
    const serves = await untilReady(work, service, options, {
      ended: async () => (processStartTime(pid) === undefined ? 'ended right after its start' : null),
      elsewhere: async () =>
        sessionListens(pid) === false ? `pid ${pid} listens nowhere, so another process answers` : null,
      lastWords: async () => tail(redact(await readFile(log, 'utf8').catch(() => '')), 2_000).split('\n'),
    });
    return `${stopped ? `pid ${stopped} ended, ` : ''}pid ${pid} up${serves}`;
  },
  stop: async (work, service) => {
    const pid = await stop(await pidFileOf(work, service.options));
    return pid ? `pid ${pid} ended` : 'was not running';
  },
};

/** @throws StepFailure SERVICE_FAILED where another file lies there: it would be overwritten. */
async function pidFileOf(work: Work, options: Options): Promise<string> {
  const file = await ownFile(work, options['pid-file']);
  const text = (await readIfThere(file))?.trim() ?? '';
  if (!/^(?:\d+(?: \d+)?)?$/u.test(text))
    fail(
      'SERVICE_FAILED',
      `the pid-file ${file} is there and holds no pid: it is another file; name another pid-file`,
    );
  return file;
}

/** Ends what the pid file names, if it is still that process. */
export async function stop(pidFile: string): Promise<number | undefined> {
  const [pidText, noted] = ((await readIfThere(pidFile)) ?? '').trim().split(/\s+/u);
  const pid = Number(pidText);
  if (!Number.isSafeInteger(pid) || pid <= 1) return undefined;
  // A plain pid file, as a server writes it itself, is believed if its process is older than the file.
  const startTime = noted ?? (await startedBefore(pid, pidFile));
  if (!startTime || processStartTime(pid) !== startTime) return undefined;
  const deadline = performance.now() + STOP_MS;
  process.kill(pid, 'SIGTERM');
  while (processStartTime(pid) === startTime) {
    if (performance.now() > deadline) process.kill(pid, 'SIGKILL');
    await new Promise((wake) => setTimeout(wake, 30));
    if (performance.now() > deadline + STOP_MS) fail('SERVICE_FAILED', `pid ${pid} does not end`);
  }
  return pid;
}

/** The start time of the process, unless it began after the file was written and so is another one. */
async function startedBefore(pid: number, file: string): Promise<string | undefined> {
  const startTime = processStartTime(pid);
  if (startTime === undefined) return undefined;
  const boot = Number(/^btime (\d+)$/mu.exec(await readFile('/proc/stat', 'utf8'))?.[1]);
  const { mtimeMs } = await stat(file);
  return boot + Number(startTime) / TICKS_A_SECOND <= mtimeMs / 1000 + ROUNDING_S ? startTime : undefined;
}

async function start(work: Work, options: Options, pidFile: string, log: string): Promise<number> {
  const [program, ...args] = options.command;
  await mkdir(dirname(log), { recursive: true });
  // A link that was planted there is not followed.
  const output = await open(log, APPEND, 0o600);
  try {
    const child = spawn(program!, args, {
      cwd: runtimeOf(work).folder(work),
      env: await environment(work, options),
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
    });
    const pid = await new Promise<number>((started, failed) => {
      child.once('spawn', () => started(child.pid!));
      child.once('error', failed);
    });
    child.unref();
    await writeWhole(pidFile, `${pid} ${processStartTime(pid) ?? ''}\n`, 0o644);
    return pid;
  } finally {
    await output.close();
  }
}

async function environment(work: Work, options: Options): Promise<Record<string, string>> {
  const planned = await Promise.all(
    Object.entries(work.list.commands.env).map(
      async ([name, value]) => [name, await commandValue(value, work.url)] as const,
    ),
  );
  const own = await Promise.all(
    Object.entries(work.service.env).map(
      async ([name, value]) =>
        [name, typeof value === 'string' ? value : await resolveSecret(value)] as const,
    ),
  );
  return { ...baseEnvironment(), ...Object.fromEntries(planned), ...options.env, ...Object.fromEntries(own) };
}
