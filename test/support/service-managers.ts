// Real managers of services for one test file: systemd as a user's manager without being PID 1, and
// supervisord from PyPI.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../../src/io/command.ts';
import { ran, ranNow } from './programs.ts';

const PATIENCE_MS = 20_000;
const INSTALL_LIMIT_MS = 120_000;

export interface UserManager {
  /** Writes a unit and makes it known. */
  unit(name: string, text: string): Promise<void>;
  show(name: string, property: string): string;
  stop(): Promise<void>;
}

const there = (program: string) => findProgram(program, process.env['PATH'] ?? '') !== undefined;

/** Why no user's manager can be started here; null when it can. */
export function whyNoSystemd(): string | null {
  if (process.getuid?.() !== 0) return 'not root: unshare -m is refused';
  const missing = ['systemctl', 'dbus-daemon', 'unshare'].filter((program) => !there(program));
  if (!existsSync('/lib/systemd/systemd')) missing.push('/lib/systemd/systemd');
  return missing.length > 0 ? `not installed: ${missing.join(', ')}` : null;
}

/**
 * A manager of its own in a mount namespace; its address is put into this process's environment, as a worker
 * has it.
 */
export async function startUserManager(): Promise<UserManager> {
  const folder = await mkdtemp(join(tmpdir(), 'sg-systemd-'));
  const [runtime, config, bus] = [
    join(folder, 'run'),
    join(folder, 'config'),
    `unix:path=${join(folder, 'run/bus')}`,
  ];
  await mkdir(runtime, { mode: 0o700 });
  await mkdir(join(config, 'systemd/user'), { recursive: true });
  const script = `mount --make-rprivate / && mount -t tmpfs tmpfs /run/systemd && mkdir /run/systemd/system
    dbus-daemon --session --address=${bus} --nofork --nopidfile & exec /lib/systemd/systemd --user`;
  const env = {
    ...process.env,
    XDG_RUNTIME_DIR: runtime,
    XDG_CONFIG_HOME: config,
    DBUS_SESSION_BUS_ADDRESS: bus,
  };
  const manager = spawn('unshare', ['--mount', '--kill-child', 'bash', '-c', script], {
    env,
    stdio: 'ignore',
    detached: true,
  });
  const before = {
    XDG_RUNTIME_DIR: process.env['XDG_RUNTIME_DIR'],
    DBUS_SESSION_BUS_ADDRESS: process.env['DBUS_SESSION_BUS_ADDRESS'],
  };
  Object.assign(process.env, { XDG_RUNTIME_DIR: runtime, DBUS_SESSION_BUS_ADDRESS: bus });
  const systemctl = (...args: string[]) => ranNow('systemctl', ['--user', ...args]);
  await until('the user manager answers', () => systemctl('show', '--property=Version').includes('Version='));
  return {
    unit: async (name, text) => {
      await writeFile(join(config, 'systemd/user', `${name}.service`), text);
      systemctl('daemon-reload');
    },
    show: (name, property) =>
      systemctl('show', name, `--property=${property}`).trim().split('=').slice(1).join('='),
    stop: async () => {
      try {
        systemctl('exit');
      } catch {
        // It answers, or is gone before it can.
      }
      for (const [name, value] of Object.entries(before)) if (value === undefined) delete process.env[name];
      endGroup(manager);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * supervisord of this version from PyPI, installed once outside the checkout; null where Python cannot make
 * it.
 */
export async function supervisorBin(): Promise<string | null> {
  const venv = join(homedir(), '.cache/soakgate/supervisor-4.3.0');
  const bin = join(venv, 'bin');
  if (existsSync(join(bin, 'supervisord'))) return bin;
  if (!there('python3')) return null;
  try {
    await ran('python3', ['-m', 'venv', venv]);
    await ran(join(bin, 'pip'), ['install', '--quiet', 'supervisor==4.3.0', 'setuptools<81'], {
      limitMs: INSTALL_LIMIT_MS,
    });
    return bin;
  } catch {
    return null;
  }
}

export interface Supervisord {
  readonly config: string;
  stop(): Promise<void>;
}

/** `programs`: sections of its configuration. */
export async function startSupervisord(bin: string, programs: string): Promise<Supervisord> {
  const folder = await mkdtemp(join(tmpdir(), 'sg-supervisor-'));
  const [config, socket] = [join(folder, 's.conf'), join(folder, 's.sock')];
  await writeFile(
    config,
    `[unix_http_server]\nfile=${socket}\n[supervisord]\nlogfile=${folder}/log\npidfile=${folder}/pid\nchildlogdir=${folder}\n[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n[supervisorctl]\nserverurl=unix://${socket}\n${programs}`,
  );
  const daemon = spawn(join(bin, 'supervisord'), ['--nodaemon', '-c', config], {
    stdio: 'ignore',
    detached: true,
  });
  await until('supervisord answers', () => existsSync(socket));
  return {
    config,
    stop: async () => {
      const ended = new Promise((resolve) => daemon.once('exit', resolve));
      daemon.kill('SIGTERM');
      await ended;
      endGroup(daemon);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function endGroup(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      if (holds()) return;
    } catch {
      // Not yet.
    }
    if (performance.now() > deadline) throw new Error(`${what}: not in ${PATIENCE_MS} ms`);
    await new Promise((wake) => setTimeout(wake, 50));
  }
}
