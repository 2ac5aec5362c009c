// A service of Docker Compose that mounts `current`. `restart` would keep the old container with its old
// image and environment (T-27), so it is made anew.
import { fail } from '../../src/core/failures.ts';
import type { RestarterOptions } from '../../src/core/plan/restarters/index.ts';
import { redact, tail } from '../../src/io/redact.ts';
import { parseJson } from '../checks/command.ts';
import type { Work } from '../frame/step-context.ts';
import { untilReady } from './ready.ts';
import type { Restarter } from './restarter.ts';

type Options = RestarterOptions['compose'];

interface Container {
  readonly id: string;
  /** running, exited, dead, restarting, … */
  readonly state: string;
}

const NONE: Container = { id: 'none', state: 'not there' };
const GONE = ['exited', 'dead'];

export const compose: Restarter<'compose'> = {
  tools: ['docker'],
  restart: async (work, service) => {
    const { options } = service;
    const before = await container(work, options);
    await docker(work, options, ['up', '--detach', '--force-recreate', '--no-deps', options.service]);
    const serves = await untilReady(work, service, options, watched(work, options));
    const after = await container(work, options);
    if (after.state !== 'running')
      fail('SERVICE_FAILED', `${options.service} is ${after.state}`, await lastWords(work, options));
    if (after.id === before.id)
      fail('SERVICE_FAILED', `${options.service} still runs in container ${short(before)}`);
    return `${options.service}: container ${short(before)} → ${short(after)}${serves}`;
  },
  stop: async (work, service) => {
    const { options } = service;
    await docker(work, options, ['stop', options.service]);
    const { state } = await container(work, options);
    if (state === 'running') fail('SERVICE_FAILED', `${options.service} does not end`);
    return `${options.service} is ${state}`;
  },
};

const short = ({ id }: Container): string => id.slice(0, 12);
const argvOf = ({ file }: Options, verb: readonly string[]): readonly string[] => [
  'docker',
  'compose',
  '--file',
  file,
  ...verb,
];

async function docker(work: Work, options: Options, verb: readonly string[]): Promise<void> {
  const result = await work.runTool(argvOf(options, verb));
  if (result.exitCode === 0) return;
  const why = tail(result.stderr, 1_000).trim();
  fail(
    'SERVICE_FAILED',
    `docker compose ${verb[0]} ${options.service} ended with ${result.exitCode ?? result.killedBy}: ${why}`,
    await lastWords(work, options),
  );
}

/** One JSON object a line, or one list of them: Compose has printed both. */
async function container(work: Work, options: Options): Promise<Container> {
  const { stdout } = await work.runTool(
    argvOf(options, ['ps', '--all', '--format', 'json', options.service]),
    { quiet: true },
  );
  const printed = parseJson(stdout) ?? parseJson(stdout.trim().split('\n').at(-1) ?? '');
  const [found] = (Array.isArray(printed) ? printed : [printed]) as readonly (
    | { readonly ID?: string; readonly State?: string }
    | undefined
  )[];
  return found?.ID ? { id: found.ID, state: found.State ?? 'unknown' } : NONE;
}

function watched(work: Work, options: Options) {
  return {
    ended: async () => {
      const { state } = await container(work, options);
      return GONE.includes(state) ? `(${options.service}) is ${state}` : null;
    },
    lastWords: () => lastWords(work, options),
  };
}

async function lastWords(work: Work, options: Options): Promise<readonly string[]> {
  const said = await work
    .runTool(argvOf(options, ['logs', '--no-color', '--tail', '20', options.service]), { quiet: true })
    .catch(() => undefined);
  return tail(redact(said?.stdout ?? '', work.secrets), 2_000)
    .split('\n')
    .filter((line) => line.length > 0);
}
