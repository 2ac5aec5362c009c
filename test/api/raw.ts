// Sends bytes to a server, whatever they are, and reads what it answers.
import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** By their names in small letters. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export interface Exchange {
  /** In the order in which they came; interim ones (1xx) are left out. */
  readonly answers: readonly RawAnswer[];
  /** Bytes that are no whole answer. */
  readonly rest: string;
  readonly tookMs: number;
}

/**
 * Sends all and reads until the server ends its side. Who says nothing for so long after `patienceMs` is told that
 * nothing more will come: a server that waits for the rest of a request ends it then.
 */
export async function exchange(port: number, bytes: Buffer, patienceMs: number): Promise<Exchange> {
  const started = performance.now();
  const chunks: Buffer[] = [];
  await new Promise<void>((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const patience = setTimeout(() => socket.end(), patienceMs);
    const limit = setTimeout(() => socket.destroy(), patienceMs + ENDS_MS);
    socket.on('data', (chunk: Buffer) => void chunks.push(chunk));
    // A server that has answered need not read the rest.
    socket.on('error', () => undefined);
    socket.on('end', () => socket.destroy());
    socket.once('close', () => {
      clearTimeout(patience);
      clearTimeout(limit);
      resolve();
    });
    socket.write(bytes);
  });
  return { ...answersIn(Buffer.concat(chunks).toString('latin1')), tookMs: performance.now() - started };
}

const ENDS_MS = 2_000;
const INTERIM = 200;

function answersIn(said: string): Pick<Exchange, 'answers' | 'rest'> {
  const answers: RawAnswer[] = [];
  let rest = said;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    const [first = '', ...lines] = rest.slice(0, end).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /u.exec(first)?.[1]);
    if (end === -1 || !status) return { answers, rest };
    const headers = new Map(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const { body, length } = bodyIn(rest.slice(end + 4), headers);
    rest = rest.slice(end + 4 + length);
    if (status >= INTERIM) answers.push({ status, headers, body });
  }
}

/** The body of one answer, and how much of the text it took. */
function bodyIn(text: string, headers: ReadonlyMap<string, string>): { body: string; length: number } {
  const utf8 = (latin1: string) => Buffer.from(latin1, 'latin1').toString('utf8');
  if (headers.get('transfer-encoding') !== 'chunked') {
    const length = Math.min(Number(headers.get('content-length') ?? 0), text.length);
    return { body: utf8(text.slice(0, length)), length };
  }
  let [body, at] = ['', 0];
  for (;;) {
    const line = text.indexOf('\r\n', at);
    const size = Number.parseInt(text.slice(at, line), 16);
    if (line === -1 || !(size > 0)) return { body: utf8(body), length: line === -1 ? text.length : line + 4 };
    body += text.slice(line + 2, line + 2 + size);
    at = line + 2 + size + 2;
  }
}
