// HTTP around the app: how long and how large a request may be before anybody reads it, and the same form of problem
// for what is no HTTP at all.
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { messageOf, Problem } from '../client/problem.ts';
import { HttpProblem, problemBody } from './problems.ts';

export interface Patience {
  /** Until the headers are there. */
  readonly headersMs: number;
  /** Until the body is there, too. */
  readonly requestMs: number;
}

const USUAL: Patience = { headersMs: 5_000, requestMs: 15_000 };
/** Nothing is written or read for so long: longer than any answer takes. */
const SILENT_MS = 60_000;
const SWEEP_MS = 500;
const MOST_CONNECTIONS = 1_000;
const HEADER_BYTES = 16_384;
const PROBLEM = 'application/problem+json';

/** A server that is not listening yet. */
export function makeServer(
  fetch: (request: Request) => Response | Promise<Response>,
  { headersMs, requestMs }: Patience = USUAL,
): Server {
  const listen = getRequestListener(fetch, { errorHandler: (error) => unreadable(messageOf(error)) });
  const server = createServer(
    {
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: SWEEP_MS,
      maxHeaderSize: HEADER_BYTES,
      // Missing, it is answered like everything else that is wrong.
      requireHostHeader: false,
    },
    (request, answer) => {
      if (request.httpVersionMajor === 1) void listen(request, answer);
      else endWith(answer, 400);
    },
  );
  server.maxConnections = MOST_CONNECTIONS;
  server.setTimeout(SILENT_MS);
  const answers = new WeakMap<Duplex, ServerResponse>();
  server.on('request', ({ socket }, answer) => void answers.set(socket, answer));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    const answer = answers.get(socket);
    if (!answer?.headersSent || answer.writableFinished) refuse(socket, statusOf(error));
    // What is answered is sent; half an answer cannot be taken back.
    else if (answer.writableEnded) socket.end();
    else socket.destroy();
  });
  server.on('checkExpectation', (_: IncomingMessage, answer: ServerResponse) => endWith(answer, 417));
  server.on('connect', (_: IncomingMessage, socket: Duplex) => refuse(socket, 400));
  return server;
}

const why = {
  400: 'the request is not HTTP as this server reads it',
  408: 'the request did not arrive in time',
  417: 'the server meets no such expectation',
  431: 'the headers are too large',
} as const;
type Status = keyof typeof why;

function statusOf({ code }: NodeJS.ErrnoException): Status {
  if (code === 'HPE_HEADER_OVERFLOW') return 431;
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
}

const problemOf = (status: Status): HttpProblem => new HttpProblem(status, new Problem('usage', why[status]));
const bodyOf = (status: Status): string => JSON.stringify(problemBody(problemOf(status)));

function endWith(answer: ServerResponse, status: Status): void {
  const body = bodyOf(status);
  const length = Buffer.byteLength(body);
  answer
    .writeHead(status, { 'content-type': PROBLEM, 'content-length': length, connection: 'close' })
    .end(body);
}

/** By hand: no answer of Node's belongs to what was no request. */
function refuse(socket: Duplex, status: Status): void {
  if (!socket.writable) return void socket.destroy();
  const body = bodyOf(status);
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      `Content-Type: ${PROBLEM}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}

/** What the framework cannot make a request of: a path, a Host or a method that are none. */
function unreadable(why: string): Response {
  const problem = new HttpProblem(400, new Problem('usage', `the request cannot be read: ${why}`));
  return new Response(JSON.stringify(problemBody(problem)), {
    status: 400,
    headers: { 'content-type': PROBLEM },
  });
}
