// A systemd unit whose WorkingDirectory is `current`; of the system, or of the user who runs the worker. What
// systemctl says is asked back.
import { fail } from '../../src/core/failures.ts';
import type { RestarterOptions } from '../../src/core/plan/restarters/index.ts';
import { redact, tail } from '../../src/io/redact.ts';
import type { Work } from '../frame/step-context.ts';
import { untilReady } from './ready.ts';
import type { Restarter } from './restarter.ts';

type Options = RestarterOptions['systemd'];

interface UnitState {
  readonly active: string;
  readonly pid: string;
  readonly result: string;
}

const SETTLE_MS = 1_000;

export const systemd: Restarter<'systemd'> = {
  tools: ['systemctl'],
  restart: async (work, service) => {
    const { options } = service;
    const before = await state(work, options);
    await systemctl(work, options, options.action);
    const serves = await untilReady(work, service, options, watched(work, options));
    // `restart` comes back as soon as a simple service has been started; one that falls over does so a moment
    // later.
    await new Promise((wake) => setTimeout(wake, SETTLE_MS));
    const after = await state(work, options);
    if (after.active !== 'active')
      fail(
        'SERVICE_FAILED',
        `${options.unit} is ${after.active} (${after.result})`,
        await journal(work, options),
      );
    if (options.action === 'restart' && after.pid === before.pid && after.pid !== '0')
      fail('SERVICE_FAILED', `${options.unit} still runs as pid ${before.pid}`);
    return options.action === 'reload'
      ? `${options.unit} reloaded${serves}`
      : `${options.unit}: pid ${before.pid} → ${after.pid}${serves}`;
  },
  stop: async (work, service) => {
    const { options } = service;
    await systemctl(work, options, 'stop');
    const { active } = await state(work, options);
    if (active === 'active') fail('SERVICE_FAILED', `${options.unit} does not end`);
    return `${options.unit} is ${active}`;
  },
};

/** Where a user's manager is found; of the worker's own environment, and no secret. */
function managerEnvironment(): Record<string, string> {
  return Object.fromEntries(
    ['XDG_RUNTIME_DIR', 'DBUS_SESSION_BUS_ADDRESS'].flatMap((name) =>
      process.env[name] ? [[name, process.env[name]]] : [],
    ),
  );
}

const of = ({ manager }: Options): readonly string[] => (manager === 'user' ? ['--user'] : []);

async function systemctl(work: Work, options: Options, verb: string): Promise<void> {
  const result = await work.runTool(['systemctl', ...of(options), '--no-ask-password', verb, options.unit], {
    env: managerEnvironment(),
  });
  if (result.exitCode === 0) return;
  const why = tail(result.stderr, 1_000).trim();
  fail(
    'SERVICE_FAILED',
    `systemctl ${verb} ${options.unit} ended with ${result.exitCode ?? result.killedBy}: ${why}`,
    await journal(work, options),
  );
}

async function state(work: Work, options: Options): Promise<UnitState> {
  const argv = ['systemctl', ...of(options), 'show', options.unit, '--property=ActiveState,MainPID,Result'];
  const { stdout } = await work.runTool(argv, { env: managerEnvironment(), quiet: true });
  const found = Object.fromEntries(
    stdout.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  return {
    active: found['ActiveState'] ?? 'unknown',
    pid: found['MainPID'] ?? '0',
    result: found['Result'] ?? 'unknown',
  };
}

function watched(work: Work, options: Options) {
  return {
    ended: async () => {
      const { active, result } = await state(work, options);
      return active === 'failed' || active === 'inactive'
        ? `(${options.unit}) is ${active} (${result})`
        : null;
    },
    lastWords: () => journal(work, options),
  };
}

async function journal(work: Work, options: Options): Promise<readonly string[]> {
  const argv = ['journalctl', ...of(options), '--no-pager', '--quiet', '--lines=20', '--unit', options.unit];
  const said = await work.runTool(argv, { env: managerEnvironment(), quiet: true }).catch(() => undefined);
  return redact(said?.stdout ?? '', work.secrets)
    .split('\n')
    .filter((line) => line.length > 0);
}
