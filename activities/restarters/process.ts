// A plain process with its own session and pid file. Not under setpriv and not in our group: it outlives the worker.
import { spawn } from 'node:child_process';
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fail } from '../../src/core/failures.ts';
import type { Service } from '../../src/core/plan/plan.ts';
import { valueAt } from '../../src/core/pointer.ts';
import { processStartTime } from '../../src/io/command.ts';
import { readIfThere, writeWhole } from '../../src/io/files.ts';
import { get } from '../../src/io/http.ts';
import { redact, tail } from '../../src/io/redact.ts';
import { resolveSecret } from '../../src/io/settings.ts';
import { baseEnvironment, commandValue, type Work } from '../work.ts';
import { parseJson } from '../checks/command.ts';
import { servingCommit } from '../release.ts';
import type { Restarter } from './restarter.ts';

interface Options {
  readonly command: readonly string[];
  readonly 'pid-file': string;
  readonly env?: Readonly<Record<string, string>>;
  /** Path asked over HTTP until it answers 2xx. */
  readonly ready?: string;
  /** JSON pointer into the ready answer: the build id, which must be the commit that `current` points to. */
  readonly build?: string;
}

const STOP_MS = 10_000;
const READY_MS = 30_000;

export const processRestarter: Restarter = {
  restart: async (work, service) => {
    const options = service.options as unknown as Options;
    const pidFile = resolve(work.service.root, options['pid-file']);
    const stopped = await stop(pidFile);
    const log = join(work.service.root, 'logs', `${service.name}.log`);
    const pid = await start(work, options, pidFile, log);
    await untilReady(work, service, options, pid, log);
    const serves = options.build === undefined ? '' : `, serving build ${((await servingCommit(work)) ?? '').slice(0, 12)}`;
    return `${stopped ? `pid ${stopped} ended, ` : ''}pid ${pid} up${serves}`;
  },
  stop: async (work, service) => {
    const pid = await stop(resolve(work.service.root, (service.options as unknown as Options)['pid-file']));
    return pid ? `pid ${pid} ended` : 'was not running';
  },
};

/** Ends what the pid file names, if it is still that process. */
export async function stop(pidFile: string): Promise<number | undefined> {
  const [pidText, startTime] = ((await readIfThere(pidFile)) ?? '').trim().split(' ');
  const pid = Number(pidText);
  if (!pid || !startTime || processStartTime(pid) !== startTime) return undefined;
  const deadline = performance.now() + STOP_MS;
  process.kill(pid, 'SIGTERM');
  while (processStartTime(pid) === startTime) {
    if (performance.now() > deadline) process.kill(pid, 'SIGKILL');
    await new Promise((wake) => setTimeout(wake, 30));
    if (performance.now() > deadline + STOP_MS) fail('SERVICE_FAILED', `pid ${pid} does not end`);
  }
  return pid;
}

async function start(work: Work, options: Options, pidFile: string, log: string): Promise<number> {
  const [program, ...args] = options.command;
  await mkdir(dirname(log), { recursive: true });
  const output = await open(log, 'a', 0o600);
  try {
    const child = spawn(program!, args, {
      cwd: join(work.service.root, 'current'),
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
    Object.entries(work.list.commands.env).map(async ([name, value]) => [name, await commandValue(value, work.url)] as const),
  );
  const own = await Promise.all(
    Object.entries(work.service.env).map(async ([name, value]) => [name, typeof value === 'string' ? value : await resolveSecret(value)] as const),
  );
  return { ...baseEnvironment(), ...Object.fromEntries(planned), ...options.env, ...Object.fromEntries(own) };
}

async function untilReady(work: Work, service: Service, options: Options, pid: number, log: string): Promise<void> {
  const deadline = performance.now() + READY_MS;
  const base = work.service.inside ?? work.service.url ?? work.list.environment.maintenance?.inside ?? work.list.environment.url;
  const lastWords = async () => tail(redact(await readFile(log, 'utf8').catch(() => '')), 2_000).split('\n');
  for (;;) {
    if (processStartTime(pid) === undefined) fail('SERVICE_FAILED', `${service.name} ended right after its start`, await lastWords());
    if (!options.ready || !base) return;
    const answer = await get(new URL(options.ready, base).href, { timeoutMs: 2_000 });
    if (answer.status !== null && answer.status < 300) return proveBuild(work, service, options, answer.body);
    if (performance.now() > deadline) fail('SERVICE_FAILED', `${service.name} does not answer ${options.ready}`, await lastWords());
    work.progress(`${service.name}: waiting for ${options.ready}`);
    await new Promise((wake) => setTimeout(wake, 100));
    work.signal.throwIfAborted();
  }
}

/** That it answers says little; that it answers with the right build id proves which code serves. */
async function proveBuild(work: Work, service: Service, { build }: Options, body: string): Promise<void> {
  if (build === undefined) return;
  const found = valueAt(parseJson(body), build);
  const serving = await servingCommit(work);
  if (found !== serving) fail('SERVICE_FAILED', `${service.name} serves build ${JSON.stringify(found ?? null)}, expected ${serving}`);
}
