// The body of a request as bytes, before anything is read in it.
import type { Context } from 'hono';
import { Problem } from '../client/problem.ts';
import { HttpProblem } from './problems.ts';

const JSON_TYPE = /^application\/(?:[a-z.-]+\+)?json\s*(?:;|$)/iu;

/** The bytes of a JSON body. @throws HttpProblem when it is none. */
export async function jsonBody(c: Context): Promise<ArrayBuffer> {
  if (!JSON_TYPE.test(c.req.header('content-type') ?? ''))
    throw new HttpProblem(
      415,
      new Problem('usage', 'the body is not application/json', 'send it with content-type: application/json'),
    );
  return c.req.arrayBuffer();
}

/** Whoever sent it is gone, or has said less than was announced: nothing of ours has failed. */
export const isCutOff = (error: unknown, { req }: Context): boolean =>
  (error as { code?: unknown } | null)?.code === 'ECONNRESET' || req.raw.signal.aborted;

export const cutOff = (): HttpProblem =>
  new HttpProblem(400, new Problem('usage', 'the body did not arrive whole', 'send it again'));
