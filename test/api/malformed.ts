// Requests that are wrong in every part of them: as bytes, because no client would send most of them.
import fc from 'fast-check';
import { type Bodies, bodyOf } from './malformed-bodies.ts';

export interface Malformed {
  readonly bytes: Buffer;
  /** For who reads of a failure. */
  readonly about: string;
}

const methods = fc.constantFrom(
  'GET',
  'GET',
  'GET',
  'POST',
  'POST',
  'POST',
  'POST',
  'POST',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'QUERY',
  'BREW',
  'get',
  'PRI',
  'G\0ET',
  'GET\t',
  'M'.repeat(300),
  '',
);

const oddSegments = [
  '%00',
  '%',
  '%zz',
  '%ff',
  '%c0%af',
  '%ED%A0%80',
  '%F0%9F%92%A5',
  '%2e%2e%2f',
  '%2F',
  '..',
  '.',
  '...',
  '',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'undefined',
  'null',
  'NaN',
  ';a=b',
  'a%20b',

  '\\',
  '\xe9',
  '\xff\xfe',
  '{id}',
  ':id',
  '*',
  '[',
  '"',
  '<script>',
  "'--",
  '%25%30%30',
  'one%0d%0aX: y',

  'x'.repeat(101),
  'x'.repeat(8_000),
  '1e999',
  '-1',
  '0',
  'nowhere',
  'staging',
  'there',
  'there',
  'there',
];
const segment = fc.constantFrom(...oddSegments);
const messageNames = fc.constantFrom(
  'approve',
  'reject',
  'attest',
  'decide',
  'pause',
  'resume',
  'abort',
  'rollback',
  'checkNow',
  'extendSoak',
  'stopChecks',
  'start',
  '__proto__',
  'APPROVE',
  'approve%00',
  '',
);
const path = fc.oneof(
  fc.constantFrom('/v1/deployments', '/v1/deployments', '/v1/openapi.json', '/healthz', '/', '*', '', '//'),
  segment.map((id) => `/v1/deployments/${id}`),
  fc.tuple(segment, messageNames).map(([id, name]) => `/v1/deployments/${id}/messages/${name}`),
  messageNames.map((name) => `/v1/deployments/there/messages/${name}`),
  segment.map((id) => `/v1/deployments/${id}/start`),
  fc.tuple(segment, segment).map(([id, environment]) => `/v1/deployments/${id}/gate-report/${environment}`),
  fc.tuple(segment, segment).map(([id, environment]) => `/v1/deployments/${id}/losses/${environment}`),
  fc.array(segment, { maxLength: 6 }).map((all) => `/${all.join('/')}`),
  segment.map((odd) => `/v1/../v1/${odd}/deployments`),
  fc.constantFrom('http://evil.example/v1/deployments', 'http://127.0.0.1/healthz', 'http://[', 'mailto:a@b'),
  fc.constantFrom('/healthz HTTP/1.1 HTTP/1.1', '/heal thz', '/healthz\0', '/\u{7f}', '/healthz#part'),
);

const values = fc.constantFrom(
  '',
  '0',
  '-1',
  '1',
  '100',
  '101',
  '1e309',
  '0x10',
  'NaN',
  '1.5',
  'null',
  'running',
  'RUNNING',
  'none',

  '__proto__',
  'AAAA',
  '%00',
  '%ff',
  '%',
  '%zz',
  'x'.repeat(3_000),
  '[]',
  '{}',
  '%F0%9F%92%A5',
  '  ',
  '+',
);
const names = fc.constantFrom(
  'limit',
  'limit',
  'state',
  'service',
  'cursor',
  'unknown',
  'limit[]',
  '__proto__',
  'constructor',
  '',
);
const query = fc.oneof(
  fc.constant(''),
  fc
    .array(fc.tuple(names, values), { maxLength: 5 })
    .map((all) => `?${all.map(([name, value]) => `${name}=${value}`).join('&')}`),
  fc.constantFrom('?', '??', '?&&&===', '?%', '?limit', `?${'a=1&'.repeat(3_000)}`, '?\0', '?service=\xff'),
);

const hosts = fc.constantFrom(
  ...Array.from({ length: 12 }, () => 'Host: 127.0.0.1'),
  'Host: localhost:1',
  'Host: evil.example',
  'Host:',
  'Host: a@127.0.0.1',
  'Host: [::1',
  'Host: \xff',
  'Host: 127.0.0.1\r\nHost: evil.example',
  'X-No-Host: 1',
  'Host: 127.0.0.1:99999',
  'Host: 127.0.0.1/x',
);
const types = fc.constantFrom(
  ...Array.from({ length: 8 }, () => 'Content-Type: application/json'),
  'application/json; charset=utf-16',
  'application/json;charset=\0',
  'APPLICATION/JSON',
  'text/plain',
  'application/x-yaml',
  'multipart/form-data; boundary=x',
  'application/jsonx',
  ';',
  '',
  '*/*',
  'application/problem+json',
  'application/x-www-form-urlencoded',
  'x'.repeat(2_000),
);
const odd = fc.constantFrom(
  'Range: bytes=0-1',
  'Range: bytes=9-1',
  'If-Match: *',
  'If-None-Match: "x"',
  'Accept: text/html',
  'Expect: 100-continue',
  'Expect: 200-ok',
  'Expect:',
  'Upgrade: websocket\r\nConnection: Upgrade',
  'Upgrade: h2c',
  'TE: trailers',
  'Trailer: Expires',
  'Content-Encoding: gzip',
  'Accept-Encoding: \xff',
  'Transfer-Encoding: gzip',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: xchunked',

  'Content-Length: -1',
  'Content-Length: +5',
  'Content-Length: 1e3',
  'Content-Length: 99999999999999999999',

  'Content-Length: 5\r\nContent-Length: 6',
  'no colon',
  ': no name',
  'Bad Name: x',
  ' folded: x',
  'X: a\0b',
  'X: a\r\n folded',
  `X: ${'y'.repeat(20_000)}`,
  'X: 1\r\n'.repeat(2_500).trim(),
  '__proto__: x',
  'Cookie: a=b; __proto__=c',
  'X-HTTP-Method-Override: DELETE',
  'Forwarded: for=evil',
  'X: \x7f\x01',
  'Authorization: Basic !!',
  'Origin: null',
  'Connection: \xff',
  'Keep-Alive: timeout=99999',
  'X\n: y',
);
const keys = fc.constantFrom(
  ...Array.from({ length: 10 }, () => 'Idempotency-Key: malformed'),
  'Idempotency-Key:',
  'Idempotency-Key: \xe9',
  'X-None: 1',
  `Idempotency-Key: ${'k'.repeat(256)}`,
  'Idempotency-Key: a\r\nIdempotency-Key: b',
  'Idempotency-Key: a b',
  'Idempotency-Key: __proto__',
);
const version = fc.constantFrom(
  ...Array.from({ length: 20 }, () => ' HTTP/1.1'),
  ' HTTP/1.0',
  ' HTTP/0.9',
  ' HTTP/2.0',
  ' HTTP/1.11',
  ' ICE/1.0',
  '',
  ' HTTP/1.1 ',
);

/** How a body is said to be framed, rightly or not. */
const framings: readonly ((body: Buffer) => { readonly head: string; readonly sent: Buffer })[] = [
  ...Array.from({ length: 10 }, () => (body: Buffer) => ({
    head: `Content-Length: ${body.length}`,
    sent: body,
  })),
  (body) => ({ head: `Content-Length: ${body.length + 10}`, sent: body }),
  (body) => ({ head: `Content-Length: ${Math.max(0, body.length - 10)}`, sent: body }),
  (body) => ({ head: 'X-Length: none', sent: body }),
  (body) => ({ head: 'Transfer-Encoding: chunked', sent: chunked(body) }),
  (body) => ({ head: 'Transfer-Encoding: chunked', sent: body }),
  (body) => ({ head: 'Transfer-Encoding: chunked', sent: chunked(body).subarray(0, -3) }),
  (body) => ({ head: `Transfer-Encoding: chunked\r\nContent-Length: ${body.length}`, sent: chunked(body) }),
  () => ({ head: 'Transfer-Encoding: chunked', sent: Buffer.from('ffffffffffffffff1\r\nx\r\n0\r\n\r\n') }),
  () => ({
    head: 'Transfer-Encoding: chunked',
    sent: Buffer.from(`1;${'e'.repeat(20_000)}\r\nx\r\n0\r\n\r\n`),
  }),
  () => ({ head: 'Transfer-Encoding: chunked', sent: Buffer.from('-1\r\nx\r\n0\r\n\r\n') }),
];

function chunked(body: Buffer): Buffer {
  const half = body.length >> 1;
  const parts = [body.subarray(0, half), body.subarray(half)].filter(({ length }) => length > 0);
  return Buffer.concat([
    ...parts.flatMap((part) => [Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]),
    Buffer.from('0\r\n\r\n'),
  ]);
}

/** Requests of which most are wrong in one or two parts only, so that every layer of the server meets some. */
export const malformed = (bodies: Bodies): fc.Arbitrary<Malformed> =>
  fc
    .oneof(
      { arbitrary: aimed(bodies), weight: 3 },
      { arbitrary: scattered(bodies), weight: 2 },
      {
        arbitrary: fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => ['\0', Buffer.from(bytes)]),
        weight: 1,
      },
    )
    .map((parts) => {
      const bytes = Buffer.concat(parts.map((part) => (typeof part === 'string' ? latin1(part) : part)));
      return { bytes, about: JSON.stringify(bytes.subarray(0, 600).toString('latin1')) };
    });

type Parts = readonly (string | Buffer)[];
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Whole HTTP to the two routes that take bodies: the body alone is wrong. */
const aimed = (bodies: Bodies): fc.Arbitrary<Parts> =>
  bodyOf(bodies).map(({ to, bytes }) => [
    `POST ${to} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n`,
    `Idempotency-Key: aimed\r\nConnection: close\r\nContent-Length: ${bytes.length}\r\n\r\n`,
    bytes,
  ]);

const scattered = (bodies: Bodies): fc.Arbitrary<Parts> =>
  fc
    .record({
      method: methods,
      path,
      query,
      version,
      host: hosts,
      type: types,
      key: keys,
      more: fc.array(odd, { maxLength: 2 }),
      framing: fc.option(fc.constantFrom(...framings)),
      body: bodyOf(bodies),
    })
    .map(({ method, path: to, query: asked, version: said, host, type, key, more, framing, body }) => {
      // After Upgrade, Node notices no wrong chunk: it waits for another, and says 408 in the end.
      const upgrades = more.some((line) => line.startsWith('Upgrade'));
      const { head = 'X-Body: none', sent = Buffer.alloc(0) } =
        (upgrades ? null : framing)?.(body.bytes) ?? {};
      const typed = type.startsWith('Content-Type') ? type : `Content-Type: ${type}`;
      const lines = [`${method} ${to}${asked}${said}`, host, typed, key, 'Connection: close', ...more, head];
      return [`${lines.join('\r\n')}\r\n\r\n`, sent];
    });
