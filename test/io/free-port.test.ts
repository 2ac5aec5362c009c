// A port that is bound only later must not be one that the kernel gives away meanwhile.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { freePort } from '../../src/io/free-port.ts';

const kernelsFirst = Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split('\t')[0]);

test.skipIf(kernelsFirst < 21_000)('is none that the kernel gives by itself, and can be bound', async () => {
  const ports = await Promise.all(Array.from({ length: 40 }, () => freePort()));
  expect(ports.filter((port) => port < 20_000 || port >= kernelsFirst)).toEqual([]);
  const server = createServer();
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(ports[0], '127.0.0.1', resolve),
  );
  await new Promise((resolve) => server.close(resolve));
});
