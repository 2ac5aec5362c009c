// Shape and size of what comes from outside: people's messages, the two internal signals and what a workflow
// is started with.
// Only whether it can be read without stumbling; whether it is true is asked elsewhere.
import type { Signed } from '../src/core/messages.ts';
import { alsoFault } from '../src/core/start-signers.ts';
import type { Command, DeploymentInput, Fact, RolloutInput } from './contract.ts';
import { Unreadable } from './payload-converter.ts';

type Shape = (value: unknown) => boolean;

const text: Shape = (value) => typeof value === 'string';
const name: Shape = (value) => typeof value === 'string' && value.length > 0 && value.length <= 500;
const yesOrNo: Shape = (value) => typeof value === 'boolean';
const list =
  (of: Shape): Shape =>
  (value) =>
    Array.isArray(value) && value.every(of);
const anyOf =
  (...words: readonly unknown[]): Shape =>
  (value) =>
    words.includes(value);
const orNull =
  (of: Shape): Shape =>
  (value) =>
    value === null || of(value);
const optional =
  (of: Shape): Shape =>
  (value) =>
    value === undefined || of(value);
const record: Shape = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Unreadable);
const object =
  (fields: Readonly<Record<string, Shape>>): Shape =>
  (value) =>
    record(value) &&
    Object.entries(fields).every(([key, fits]) => fits((value as Record<string, unknown>)[key]));

const LARGEST_MESSAGE = 32_768;
const DEEPEST = 32;

/** What is wrong with a message of this name; null when it has the shape of one. */
export function messageFault(wanted: string, candidate: unknown): string | null {
  if (!record(candidate)) return `expected one JSON object, as soakgate ${wanted} --print gives it`;
  const signed = candidate as Partial<Signed>;
  if (signed.message !== wanted) return `this is a ${String(signed.message)}, not a ${wanted}`;
  if (!signedShape(signed))
    return 'person, signature, body.deployment, body.environment, body.nonce and body.expires must be texts';
  return tooLarge(signed)
    ? `larger than ${LARGEST_MESSAGE} characters, or nested deeper than ${DEEPEST}`
    : null;
}

const signedShape = object({
  message: name,
  person: name,
  signature: name,
  body: object({ deployment: name, environment: name, nonce: name, expires: name }),
});

/** Counted by hand: what is nested deeply enough stops JSON.stringify itself. */
function tooLarge(value: unknown): boolean {
  let left = LARGEST_MESSAGE;
  const fits = (part: unknown, depth: number): boolean => {
    if (depth > DEEPEST || left < 0) return false;
    if (typeof part !== 'object' || part === null) {
      left -= typeof part === 'string' ? part.length + 3 : 8;
      return left >= 0;
    }
    return Object.entries(part).every(([key, member]) => {
      left -= key.length + 3;
      return fits(member, depth + 1);
    });
  };
  return !fits(value, 0);
}

const byKind =
  (kinds: Readonly<Record<string, Shape>>, key = 'is'): Shape =>
  (value) => {
    if (!record(value)) return false;
    const kind = (value as Record<string, unknown>)[key];
    return typeof kind === 'string' && Object.hasOwn(kinds, kind) && kinds[kind]!(value);
  };

const bound = { deployment: name, environment: name, plan: name, list: name, commit: name, at: name };
const soakStatement = object({
  body: object({
    ...bound,
    says: anyOf('soak-passed'),
    steps: list(object({ step: text, kind: text, verdict: text, rehearsed: optional(text) })),
    soak: record,
  }),
  signature: text,
});
const closingStatement = object({
  body: object({ ...bound, says: anyOf('closed'), outcome: text, judgedAt: orNull(text) }),
  signature: text,
});
const command = byKind({
  message: object({
    signed: (signed) =>
      record(signed) && messageFault(String((signed as Partial<Signed>).message), signed) === null,
  }),
  close: record,
  proceed: object({ earlier: optional(closingStatement) }),
  stop: object({ why: text }),
});

const receipt = object({
  step: text,
  kind: text,
  verdict: text,
  summary: text,
  startedAt: text,
  tookMs: (value) => typeof value === 'number',
  figures: optional(record),
  details: optional(list(text)),
});
const undo = object({
  undo: text,
  step: text,
  summary: text,
  done: (value) => typeof value === 'boolean',
  differences: list(text),
});
const outcome = {
  environment: name,
  accepted: optional(list(object({ about: text, how: text }))),
  receipts: list(receipt),
  undos: list(undo),
  differences: list(text),
  soak: orNull(text),
  statement: optional(soakStatement),
  closing: optional(orNull(closingStatement)),
};
/** What a rollout may say that it waits for. */
const waiting = byKind(
  {
    decision: object({ environment: name, about: text, options: list(text), loses: optional(text) }),
    approval: object({
      environment: name,
      fallback: text,
      missing: list(text),
      options: list(text),
      loses: optional(text),
    }),
    'manual-fix': object({
      environment: name,
      differences: list(text),
      options: list(text),
      loses: optional(text),
    }),
    failing: object({ environment: orNull(name), what: text, why: text }),
  },
  'kind',
);

const fact = byKind({
  soakPassed: object({ environment: name, outcome: object({ ...outcome, outcome: text }) }),
  soakVoided: object({ environment: name, why: text }),
  aboutToChange: object({ environment: name }),
  waiting: object({ environment: name, waiting: orNull(waiting) }),
  answered: object({ nonce: name, accepted: yesOrNo, text, known: optional(yesOrNo) }),
  dropped: object({ answers: list(object({ nonce: name, why: text })) }),
  ended: object({
    environment: name,
    result: object({ ...outcome, outcome: anyOf('passed', 'failed', 'restored', 'stuck'), reason: text }),
  }),
});

export const isCommand = (value: unknown): value is Command => command(value);
export const isFact = (value: unknown): value is Fact => fact(value);

const rolloutRef = object({ deployment: name, environment: name, service: name, hash: name, list: name });
const step = object({ index: Number.isInteger, name, kind: name, spec: record, changes: list(text) });
const environmentRun = object({
  rollout: rolloutRef,
  list: object({
    service: name,
    commit: name,
    steps: list(step),
    environment: object({ name, services: Array.isArray }),
    monitors: record,
    fallbacks: record,
    matrix: Array.isArray,
  }),
});
const start: Shape = (value) =>
  object({
    person: name,
    signature: name,
    body: object({
      deployment: name,
      plan: name,
      planText: text,
      planFile: text,
      commit: name,
      lists: record,
    }),
  })(value) && alsoFault(value as object) === null;

export const isDeploymentInput = (value: unknown): value is DeploymentInput =>
  object({ start, runs: (runs) => list(environmentRun)(runs) && (runs as readonly unknown[]).length > 0 })(
    value,
  );

export const isRolloutInput = (value: unknown): value is RolloutInput =>
  object({
    run: environmentRun,
    permit: object({ start, environment: name, approvals: Array.isArray, attestations: Array.isArray }),
    asksBeforeChange: (asks) => typeof asks === 'boolean',
  })(value);

/** Of a workflow that checks what a deployment has left. */
export const isAfterwardsInput = (value: unknown): boolean =>
  object({ run: environmentRun, requester: name, plan: name })(value) &&
  object({ afterwards: object({ everyMs: (ms) => typeof ms === 'number' && ms > 0 }) })(
    (value as { run: { list: { environment: unknown } } }).run.list.environment,
  );
