// What a program that has ended may have left: processes that name its folder or work in it, and the ports on
// which they listen.
import { readdir, readFile, readlink } from 'node:fs/promises';

export interface Left {
  readonly pid: number;
  /** Command line and working folder. */
  readonly line: string;
}

/**
 * Processes that name the folder or work in it; the served application names it nowhere in its command line.
 */
export async function processesOf(folder: string): Promise<readonly Left[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0 && pid !== process.pid);
  const all = await Promise.all(
    pids.map(async (pid) => {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return {
        pid,
        line: `${line.replaceAll('\0', ' ')}in ${await readlink(`/proc/${pid}/cwd`).catch(() => '')}`,
      };
    }),
  );
  return all.filter(({ line }) => line.includes(folder));
}

/** TCP ports on which any of these processes listens. */
export async function portsOf(processes: readonly Left[]): Promise<readonly number[]> {
  const held = new Set((await Promise.all(processes.map(({ pid }) => socketsOf(pid)))).flat());
  const ports = (await listeners()).filter(({ inode }) => held.has(inode)).map(({ port }) => port);
  return [...new Set(ports)].sort((a, b) => a - b);
}

/** Those of the ports on which somebody, whoever it is, still listens. */
export async function stillListening(ports: readonly number[]): Promise<readonly number[]> {
  const open = new Set((await listeners()).map(({ port }) => port));
  return ports.filter((port) => open.has(port));
}

async function socketsOf(pid: number): Promise<readonly string[]> {
  const numbers = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const targets = await Promise.all(
    numbers.map((number) => readlink(`/proc/${pid}/fd/${number}`).catch(() => '')),
  );
  return targets.flatMap((target) => /^socket:\[(\d+)\]$/u.exec(target)?.[1] ?? []);
}

/**
 * `/proc/net/tcp`: the local address is the second column, the state the fourth (0A listens), the inode the
 * tenth.
 */
async function listeners(): Promise<readonly { readonly port: number; readonly inode: string }[]> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
  );
  return tables
    .flatMap((text) => text.trim().split('\n').slice(1))
    .map((row) => row.trim().split(/\s+/u))
    .filter((columns) => columns[3] === '0A')
    .map((columns) => ({ port: Number.parseInt(columns[1]!.split(':').at(-1)!, 16), inode: columns[9]! }));
}
