// Whether what a worker has signed is about the deployment in hand, and whether its soak was long enough.
import type { SignedStatement, SoakStatement, StatementBound } from './statements.ts';
import type { StepList } from './step-list.ts';

/** Why a statement is about something else than `about`; null where it is about it. */
export function boundFault(body: StatementBound, about: Partial<StatementBound>): string | null {
  const wrong = Object.entries(about).find(([name, value]) => body[name as keyof StatementBound] !== value);
  return wrong ? `the statement of ${body.environment} is about another ${wrong[0]}` : null;
}

/**
 * Why a soak of the environment before does not suffice here, by its list as this worker compiles it; null where it
 * does. `least` is what this environment's guardrails demand, in nominal milliseconds.
 */
export function soakFault(
  { body }: SignedStatement<SoakStatement>,
  before: StepList,
  listHash: string,
  least: number,
): string | null {
  const { name, soak, watch } = before.environment;
  if (body.environment !== name) return `the statement is of ${body.environment}, ${name} comes before`;
  if (body.list !== listHash) return `the statement of ${name} is about another list`;
  const { observedMs, startedAt, endedAt } = body.soak;
  if (!(observedMs <= endedAt - startedAt))
    return `the statement of ${name} is about no time that has passed`;
  const asked = (soak ?? watch)?.forMs ?? 0;
  if (observedMs < asked) return `${name} was observed ${observedMs} ms; the plan asks for ${asked} ms`;
  const nominal = before.pace ? (observedMs * before.pace.nominalMs) / before.pace.realMs : observedMs;
  return nominal < least
    ? `${name} was observed ${Math.round(nominal)} ms; this environment demands at least ${least} ms`
    : null;
}
