// A program of supervisord; its answer is asked back, because supervisorctl's own exit codes are not about
// the program.
import { fail } from '../../src/core/failures.ts';
import type { RestarterOptions } from '../../src/core/plan/restarters/index.ts';
import { redact, tail } from '../../src/io/redact.ts';
import type { Work } from '../frame/step-context.ts';
import { untilReady } from './ready.ts';
import type { Restarter } from './restarter.ts';

type Options = RestarterOptions['supervisor'];

interface ProgramState {
  /** RUNNING, STOPPED, STARTING, BACKOFF, FATAL, EXITED, UNKNOWN. */
  readonly state: string;
  readonly pid: string | null;
  readonly said: string;
}

const GONE = ['FATAL', 'EXITED', 'STOPPED', 'BACKOFF'];
const SETTLE_MS = 1_000;
const TRIES = 100;

export const supervisor: Restarter<'supervisor'> = {
  tools: ['supervisorctl'],
  restart: async (work, service) => {
    const { options } = service;
    const before = await state(work, options);
    await supervisorctl(work, options, 'restart');
    const serves = await untilReady(work, service, options, watched(work, options));
    const after = await running(work, options);
    if (after.pid === before.pid)
      fail('SERVICE_FAILED', `${options.program} still runs as pid ${before.pid}`);
    return `${options.program}: pid ${before.pid ?? 'none'} → ${after.pid}${serves}`;
  },
  stop: async (work, service) => {
    const { options } = service;
    await supervisorctl(work, options, 'stop');
    const after = await state(work, options);
    if (after.state === 'RUNNING') fail('SERVICE_FAILED', `${options.program} does not end`);
    return `${options.program} is ${after.state}`;
  },
};

const argvOf = ({ config }: Options): readonly string[] => [
  'supervisorctl',
  ...(config === undefined ? [] : ['-c', config]),
];

async function supervisorctl(work: Work, options: Options, verb: string): Promise<void> {
  const { stdout, stderr } = await work.runTool([...argvOf(options), verb, options.program]);
  const error = `${stdout}\n${stderr}`
    .split('\n')
    .find((line) => /ERROR|refused|no such file/u.test(line) && !line.includes('not running'));
  if (error)
    fail(
      'SERVICE_FAILED',
      `supervisorctl ${verb} ${options.program}: ${error.trim()}`,
      await lastWords(work, options),
    );
}

async function state(work: Work, options: Options): Promise<ProgramState> {
  const { stdout } = await work.runTool([...argvOf(options), 'status', options.program], { quiet: true });
  const [, found = 'UNKNOWN', rest = ''] = /^\S+\s+([A-Z]+)\s*(.*)$/mu.exec(stdout) ?? [];
  return { state: found, pid: /pid (\d+)/u.exec(rest)?.[1] ?? null, said: stdout.trim() };
}

/**
 * A program that falls over after a moment is restarted by supervisord itself: the same pid must be there a
 * while later.
 */
async function running(work: Work, options: Options): Promise<ProgramState> {
  for (let tries = 1; ; tries += 1) {
    const first = await state(work, options);
    await new Promise((wake) => setTimeout(wake, SETTLE_MS));
    const second = await state(work, options);
    if (second.state === 'RUNNING' && first.pid === second.pid) return second;
    if (GONE.includes(second.state) || tries === TRIES)
      fail(
        'SERVICE_FAILED',
        `${options.program} is ${second.state}: ${second.said}`,
        await lastWords(work, options),
      );
    work.signal.throwIfAborted();
  }
}

function watched(work: Work, options: Options) {
  return {
    ended: async () => {
      const now = await state(work, options);
      return GONE.includes(now.state) && now.state !== 'BACKOFF'
        ? `(${options.program}) is ${now.state}`
        : null;
    },
    lastWords: () => lastWords(work, options),
  };
}

async function lastWords(work: Work, options: Options): Promise<readonly string[]> {
  const said = await work
    .runTool([...argvOf(options), 'tail', options.program, 'stderr'], { quiet: true })
    .catch(() => undefined);
  return tail(redact(said?.stdout ?? '', work.secrets), 2_000)
    .split('\n')
    .filter((line) => line.length > 0);
}
