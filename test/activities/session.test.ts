// How a session is opened: settings travel with the first packet; a stand-in of a pooler (there is no PgBouncer here)
// refuses that as PgBouncer does, and a database that ends idle sessions at once is tried again.
import { createServer, connect as dial, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withSession } from '../../src/io/postgres.ts';
import { type Bench, query, raiseBench } from '../support/hands.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await raiseBench();
});
afterAll(() => bench?.stop());

/** ErrorResponse of the protocol: severity, code, message. */
function refusal(code: string, message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${message}\0\0`);
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

/** Answers the first packet with a refusal where `refuses` says so; else it is PostgreSQL that answers. */
async function inFront<T>(
  refuses: (packet: string, at: number) => Buffer | null,
  use: (url: string, packets: readonly string[]) => Promise<T>,
): Promise<T> {
  const address = new URL(bench.postgres.url('postgres'));
  const { port, hostname } = address;
  const packets: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer((client) => {
    sockets.push(client);
    client.on('error', () => undefined);
    client.once('data', (first: Buffer) => {
      const refused = refuses(first.toString('latin1'), packets.push(first.toString('latin1')));
      if (refused) return void client.end(refused);
      const upstream = dial(Number(port), hostname);
      sockets.push(upstream);
      upstream.on('error', () => undefined);
      upstream.write(first);
      client.pipe(upstream).pipe(client);
    });
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  address.port = String((server.address() as AddressInfo).port);
  try {
    return await use(address.href, packets);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((closed) => server.close(closed));
  }
}

const timeouts = (url: string) =>
  withSession(url, 'test', (session) =>
    session.query(
      "select current_setting('statement_timeout') as timeout, current_setting('work_mem') as mem",
    ),
  );

test('a pooler that refuses settings of the first packet gets them with the first statement', async () => {
  await query(bench.postgres.url('postgres'), "alter role postgres set statement_timeout = '9s'");
  const refuses = (packet: string) =>
    packet.includes('options\0') ? refusal('08P01', 'unsupported startup parameter: options') : null;
  await inFront(refuses, async (url, packets) => {
    expect(await timeouts(url)).toMatchObject([{ timeout: '0' }]);
    expect(packets.map((packet) => packet.includes('statement_timeout=0'))).toEqual([true, false]);
  });
});

test('what the address itself sets is kept beside it', async () => {
  await inFront(
    () => null,
    async (url) => {
      const own = `${url}?options=${encodeURIComponent('-c work_mem=7MB -c statement_timeout=5s')}`;
      expect(await timeouts(own)).toEqual([{ timeout: '0', mem: '7MB' }]);
    },
  );
});

test.each([
  [
    'a session that is ended as idle while it opens',
    '57P05',
    'terminating connection due to idle-session timeout',
  ],
  ['a session for which there is no room yet', '53300', 'too many connections for role "app"'],
])('%s is opened again; for ever it is not', async (_, code, message) => {
  const refused = refusal(code, message);
  await inFront(
    (_, at) => (at < 3 ? refused : null),
    async (url, packets) => {
      expect(await timeouts(url)).toMatchObject([{ timeout: '0' }]);
      expect(packets).toHaveLength(3);
    },
  );
  await inFront(
    () => refused,
    async (url, packets) => {
      await expect(timeouts(url)).rejects.toThrow(message);
      expect(packets).toHaveLength(5);
    },
  );
});
