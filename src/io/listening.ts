// Whether a process or one that it started listens on a socket, as Linux's /proc has it: the proof that the process
// that was started can be the one that answers.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** State of a TCP socket that listens. */
const LISTENS = '0A';
/** Flag of a unix socket that accepts connections. */
const ACCEPTS = 0x10000;

/** Null where this machine does not tell: no /proc, or processes of another user. */
export function sessionListens(session: number): boolean | null {
  const processes = processesOf(session);
  if (processes === null) return null;
  const listening = listeningSockets();
  let hidden = false;
  for (const pid of processes) {
    const sockets = socketsOf(pid);
    if (sockets === null) hidden = true;
    else if (sockets.some((inode) => listening.has(inode))) return true;
  }
  return hidden ? null : false;
}

/** Processes of a session, its leader among them; null without /proc. */
function processesOf(session: number): readonly number[] | null {
  try {
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 0 && sessionOf(pid) === session);
  } catch {
    return null;
  }
}

/** Field 6 of /proc/<pid>/stat; undefined when it is gone. */
function sessionOf(pid: number): number | undefined {
  const text = readOr(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[3] === undefined ? undefined : Number(fields[3]);
}

/** Inodes of the sockets that a process has open; empty when it is gone, null when it may not be looked at. */
function socketsOf(pid: number): readonly string[] | null {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/u.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? null : [];
  }
}

function listeningSockets(): ReadonlySet<string> {
  const rows = (file: string) =>
    readOr(file)
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/u));
  return new Set([
    ...['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) =>
      rows(file).flatMap((fields) => (fields[3] === LISTENS ? (fields[9] ?? []) : [])),
    ),
    ...rows('/proc/net/unix').flatMap((fields) =>
      (Number.parseInt(fields[3] ?? '0', 16) & ACCEPTS) !== 0 ? (fields[6] ?? []) : [],
    ),
  ]);
}

function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
