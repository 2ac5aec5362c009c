// What Temporal's client throws, by gRPC code: whether the server could not be reached, or would not have
// what it was sent.
import { Problem } from './problem.ts';

/** google.rpc.Code, by number, so that nobody need load Temporal's client for it. */
const UNKNOWN = 2;
const INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED = 4;
const PERMISSION_DENIED = 7;
const RESOURCE_EXHAUSTED = 8;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;

const TOO_LARGE = /larger than max|exceeds (?:size )?limit/iu;
const DEEPEST = 5;

interface Fault {
  readonly code: number;
  readonly text: string;
}

/** The client wraps what gRPC says, sometimes twice. */
function faultOf(error: unknown): Fault | null {
  let at = error;
  for (let depth = 0; depth < DEEPEST && at instanceof Error; depth += 1) {
    const { code, details } = at as { code?: unknown; details?: unknown };
    if (typeof code === 'number')
      return { code, text: typeof details === 'string' && details ? details : at.message };
    at = at.cause;
  }
  return null;
}

/** Whether no server answered at all, rather than no worker in time. */
export const isUnavailable = (error: unknown): boolean => faultOf(error)?.code === UNAVAILABLE;

/** Whether a server answered, but nobody did what was asked in time. */
export const isLate = (error: unknown): boolean => faultOf(error)?.code === DEADLINE_EXCEEDED;

/** What Temporal says to a page token that is not its own; its SQL stores call that unknown. */
export const isBadPage = (error: unknown): boolean =>
  [UNKNOWN, INVALID_ARGUMENT].includes(faultOf(error)?.code ?? 0);

/** Does the work; says it for people when Temporal went away in it or refused what it was sent. */
export async function reaching<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof Problem ? error : (problemOf(faultOf(error)) ?? error);
  }
}

function problemOf(fault: Fault | null): Problem | null {
  if (!fault) return null;
  const { code, text } = fault;
  if (code === INVALID_ARGUMENT || (code === RESOURCE_EXHAUSTED && TOO_LARGE.test(text)))
    return new Problem('usage', `Temporal rejected the request: ${text}`, 'correct the request');
  if (code === UNAVAILABLE || code === DEADLINE_EXCEEDED || code === RESOURCE_EXHAUSTED)
    return new Problem(
      'unreachable',
      `Temporal cannot be reached (${text})`,
      'start or repair the Temporal server, then repeat the command; it counts only once',
    );
  if (code === UNAUTHENTICATED || code === PERMISSION_DENIED)
    return new Problem(
      'unreachable',
      `Temporal refused the credentials (${text})`,
      'check the credentials of this connection (TEMPORAL_API_KEY, TLS)',
    );
  return null;
}
