// What every request passes: the name that it was sent to, and headers that every answer has.
import type { MiddlewareHandler } from 'hono';
import { Problem } from '../client/problem.ts';
import { HttpProblem } from './problems.ts';

const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);
const MISDIRECTED = 421;

/** Whether a host name means this machine only. */
export function isLoopback(host: string): boolean {
  const bare = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return loopback.has(URL.parse(`http://${bare}`)?.hostname ?? '');
}

/**
 * A page of somebody else may point its own name at this machine (DNS rebinding): then the Host is that name.
 */
export function onlyLoopbackNames(): MiddlewareHandler {
  return async (c, next) => {
    const host = URL.parse(`http://${c.req.header('host') ?? ''}`)?.hostname ?? '';
    if (!loopback.has(host))
      throw new HttpProblem(
        MISDIRECTED,
        new Problem(
          'not-allowed',
          'this server answers to the names of this machine only',
          'ask 127.0.0.1, or start it with --host',
        ),
      );
    await next();
  };
}

/** Answers are never kept, never guessed at. */
export function headers(): MiddlewareHandler {
  return async (c, next) => {
    await next();
    c.header('cache-control', 'no-store');
    c.header('x-content-type-options', 'nosniff');
  };
}
