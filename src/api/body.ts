// The body of a request as bytes, before anything is read in it.
import type { Context } from 'hono';
import { Problem } from '../client/problem.ts';
import { HttpProblem } from './problems.ts';

const JSON_TYPE = /^application\/(?:[a-z.-]+\+)?json\s*(?:;|$)/iu;

/** The bytes of a JSON body. @throws HttpProblem when it is none, or did not arrive whole. */
export async function jsonBody(c: Context): Promise<ArrayBuffer> {
  if (!JSON_TYPE.test(c.req.header('content-type') ?? ''))
    throw new HttpProblem(
      415,
      new Problem('usage', 'the body is not application/json', 'send it with content-type: application/json'),
    );
  try {
    return await c.req.arrayBuffer();
  } catch (error) {
    if (error instanceof HttpProblem) throw error;
    throw new HttpProblem(400, new Problem('usage', 'the body did not arrive whole', 'send it again'));
  }
}
