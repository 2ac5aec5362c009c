// A port for a server that starts later, of another program. One that the kernel gave (`listen(0)`) is soon
// given again: to the
// metrics of a Temporal server, to a test, to any outgoing connection. So it is taken from below the kernel's
// own range.
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const FROM = 20_000;
/** Where the kernel's own range begins by default (`ip_local_port_range`). */
const TO = 32_768;
const TRIES = 50;

/** The first port that the kernel gives by itself. */
function kernelsFirst(): number {
  try {
    return Number(/^\d+/u.exec(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'))?.[0] ?? TO);
  } catch {
    return TO; // no Linux: their ranges begin later
  }
}

const bindable = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });

/**
 * A loopback port that was free a moment ago and that the kernel gives to nobody by itself. @throws Error
 * when 50 tries find none
 */
export async function freePort(): Promise<number> {
  const first = Math.min(TO, kernelsFirst());
  const end = first - FROM < 1_000 ? TO : first; // a range that begins lower leaves nothing better
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const port = randomInt(FROM, end);
    if (await bindable(port)) return port;
  }
  throw new Error(`no free port from ${FROM} to ${end} on 127.0.0.1: something listens on most of them`);
}
