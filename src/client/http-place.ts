// A Soakgate server as a place to ask: JSON there and back, and a Problem where nobody of ours answers.
import { messageOf, Problem } from './problem.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly json: unknown;
}

export interface Sending {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface HttpClient {
  ask(method: 'GET' | 'POST', path: string, sending?: Sending): Promise<HttpAnswer>;
}

/** Longer than the server itself waits for a worker and for Temporal. */
const ANSWER_MS = 40_000;
const NEXT = 'check --server and SOAKGATE_SERVER, or start a server: soakgate server';

/** @throws Problem when this is not a server address. */
export function httpPlace(url: string): HttpClient {
  const base = URL.parse(url);
  if (!base || !/^https?:$/u.test(base.protocol) || base.username || base.password || base.search)
    throw new Problem(
      'usage',
      `${url.replace(/\/\/[^/]*@/u, '//***@')} is not a server address`,
      'write it like http://127.0.0.1:8230',
    );
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  return { ask: (method, path, sending = {}) => ask(new URL(path, base), method, sending) };
}

async function ask(url: URL, method: string, { body, headers }: Sending): Promise<HttpAnswer> {
  const answer = await fetched(url, {
    method,
    headers: {
      accept: 'application/json',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    // What is signed goes to the address that was named and to no other.
    redirect: 'error',
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  const { status, type, text } = answer;
  if (!/^application\/(?:problem\+)?json\b/u.test(type))
    throw new Problem(
      'unreachable',
      `${url.origin} is not a Soakgate server; it answered ${status} ${type || 'without a type'}`,
      NEXT,
    );
  return { status, json: JSON.parse(text) as unknown };
}

async function fetched(
  url: URL,
  request: RequestInit,
): Promise<{ readonly status: number; readonly type: string; readonly text: string }> {
  try {
    const answer = await fetch(url, request);
    return {
      status: answer.status,
      type: answer.headers.get('content-type') ?? '',
      text: await answer.text(),
    };
  } catch (error) {
    throw new Problem('unreachable', `no Soakgate server answers at ${url.origin} (${reason(error)})`, NEXT);
  }
}

/** `fetch failed` says nothing; its cause does. */
const reason = (error: unknown): string =>
  messageOf(error instanceof Error && error.cause ? error.cause : error) || 'no connection';
