// What stops a request, as RFC 9457 problem+json: the kinds of src/client/problem.ts and the codes of the
// failure table, with statuses.
import { HTTPException } from 'hono/http-exception';
import { failures, type FailureCode } from '../core/failures.ts';
import { Problem, type ProblemKind } from '../client/problem.ts';

export type ProblemCode = ProblemKind | 'internal' | FailureCode;

export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  /** What to do next. */
  readonly remedy: string;
  readonly errors?: readonly string[];
}

/** A Problem whose status HTTP itself has a name for. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly status: number;
  readonly problem: Problem;
  constructor(status: number, problem: Problem) {
    super(problem.message);
    this.status = status;
    this.problem = problem;
  }
}

/** A refusal that was worded elsewhere: in a thread that read the body. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly body: ProblemBody;
  constructor(body: ProblemBody) {
    super(body.detail);
    this.body = body;
  }
}

/** The kinds, with the status that each has unless HTTP has a better one, and its title. */
export const kinds = {
  usage: { status: 422, title: 'The request is not right' },
  unknown: { status: 404, title: 'Not found' },
  conflict: { status: 409, title: 'Conflict with the present state' },
  'not-allowed': { status: 403, title: 'It is not allowed' },
  pending: { status: 503, title: 'No worker answers yet' },
  busy: { status: 503, title: 'The server is busy' },
  unreachable: { status: 503, title: 'Temporal cannot be reached' },
} as const satisfies Readonly<Record<ProblemKind, { readonly status: number; readonly title: string }>>;

const SEE = 'GET /v1/openapi.json describes the API';
const TOO_MUCH = 413;

/** Whatever was thrown, as an answer. What nobody foresaw says nothing of our insides. */
export function problemBody(error: unknown): ProblemBody {
  if (error instanceof Refused) return error.body;
  if (error instanceof Problem) return bodyOf(kinds[error.kind].status, error);
  if (error instanceof HttpProblem) return bodyOf(error.status, error.problem);
  // hono's own: a body that is no JSON, or is not said to be.
  if (error instanceof HTTPException && error.status < 500) {
    const next = error.status === 415 ? 'send it with content-type: application/json' : SEE;
    return bodyOf(error.status, new Problem('usage', error.message || 'the request cannot be read', next));
  }
  return {
    type: 'urn:soakgate:internal',
    title: 'The server has failed',
    status: 500,
    code: 'internal',
    detail: 'the server has failed in a way that nobody foresaw',
    remedy: 'its log says more; the same request again counts once',
  };
}

function bodyOf(status: number, { kind, failure, message, next, details }: Problem): ProblemBody {
  const code = failure ?? kind;
  return {
    type: `urn:soakgate:${code}`,
    title: failure ? failures[failure].meaning : kinds[kind].title,
    status,
    code,
    detail: message,
    remedy: next ?? SEE,
    ...(details.length > 0 && { errors: details }),
  };
}

/** The code of the failure table that a worker's words begin with, if any. */
export function failureIn(text: string): FailureCode | null {
  const word = /^(?:refused: |not answered: )?([A-Z][A-Z_]+)\b/u.exec(text)?.[1];
  return word !== undefined && Object.hasOwn(failures, word) ? (word as FailureCode) : null;
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

const MOST_ISSUES = 100;

/** All that is wrong with a shape at once; only a body that could be read has content to be wrong. */
export function shapeProblem(target: string, issues: readonly Issue[]): HttpProblem {
  const details = issues
    .slice(0, MOST_ISSUES)
    .map(({ path, message }) => [path.map(String).join('.'), message].filter(Boolean).join(': '));
  const inBody = target === 'json';
  const what = inBody ? 'the body is not what the command prints' : `the ${target} is not right`;
  return new HttpProblem(inBody ? 422 : 400, new Problem('usage', what, null, { details }));
}

/** A body that is larger than its limit. */
export const tooLarge = (limit: number): HttpProblem =>
  new HttpProblem(
    TOO_MUCH,
    new Problem(
      'usage',
      `the body is larger than ${limit} bytes`,
      'send what soakgate … --print gives, and nothing else',
    ),
  );
