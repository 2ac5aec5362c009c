// The shapes of what is answered: the client's own types, written once more for the OpenAPI document and held
// to them by the compiler.
import { z } from '@hono/zod-openapi';

const at = z.iso.datetime().nullable();
const texts = z.array(z.string()).readonly();
const state = z.enum([
  'none',
  'running',
  'completed',
  'failed',
  'cancelled',
  'terminated',
  'timed_out',
  'continued_as_new',
]);

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z
      .string()
      .openapi({ description: 'A kind (usage, unknown, conflict, …) or a code of docs/failures.md.' }),
    detail: z.string(),
    remedy: z.string().openapi({ description: 'What to do next.' }),
    errors: texts
      .optional()
      .openapi({ description: 'Everything that is wrong, e.g. `file:line:column path: message`.' }),
  })
  .openapi('Problem');

export const startedSchema = z
  .object({
    deployment: z.string(),
    workflowId: z.string(),
    runId: z.string(),
    fresh: z.boolean().openapi({ description: 'False when the same start had this name before.' }),
    running: z.boolean(),
    link: z.string().nullable().openapi({ description: "Into Temporal's Web UI." }),
  })
  .openapi('Started');

export const pageSchema = z
  .object({
    deployments: z
      .array(
        z.object({
          deployment: z.string(),
          service: z.string(),
          phase: z.string(),
          health: z.string(),
          waitingFor: z.string().nullable(),
          started: z.iso.datetime(),
          running: z.boolean(),
        }),
      )
      .readonly(),
    next: z.string().nullable().openapi({
      description: 'The cursor of the next page; a page may be shorter than its limit although more follow.',
    }),
  })
  .openapi('Deployments');

const progress = z
  .object({
    title: z.string(),
    phase: z.string(),
    health: z.string(),
    deployment: z.string(),
    of: z.enum(['deployment', 'environment']),
    waiting: z
      .array(z.looseObject({ kind: z.string(), environment: z.string().nullable() }))
      .readonly()
      .openapi({ description: 'What it waits for, as data; the first comes first.' }),
    waitingFor: z.string().nullable().openapi({ description: 'The sentence for `waiting`.' }),
    next: z.string().nullable().openapi({ description: 'What to type next.' }),
    lines: z.array(
      z.object({
        name: z.string(),
        kind: z.string(),
        state: z.enum([
          'waiting',
          'running',
          'pass',
          'fail',
          'inconclusive',
          'error',
          'undone',
          'not undone',
        ]),
        summary: z.string(),
        tookMs: z.number().nullable(),
      }),
    ),
    notes: z.array(z.string()),
    metrics: texts,
    refusals: z.array(
      z.object({ message: z.string(), person: z.string(), environment: z.string(), why: z.string() }),
    ),
    malformed: z.int().openapi({ description: 'Signals that nobody could read; they changed nothing.' }),
    dropped: z
      .int()
      .optional()
      .openapi({ description: 'Messages among many that could not count; absent where there was none.' }),
  })
  .openapi('Progress', { description: 'Null where no worker answers.' });

const run = {
  workflowId: z.string(),
  runId: z.string().nullable(),
  state,
  startedAt: at,
  closedAt: at,
  progress: progress.nullable(),
  history: z
    .string()
    .nullable()
    .openapi({ description: 'That its history is nearly full, or was; null while there is room.' }),
};

const accepted = z
  .array(z.object({ about: z.string(), how: z.string() }))
  .readonly()
  .openapi({ description: 'What did not pass and was let pass, and by whom; absent where nothing was.' });

const rolloutResult = z
  .looseObject({
    environment: z.string(),
    outcome: z.enum(['passed', 'failed', 'restored', 'stuck']),
    reason: z.string(),
    accepted: accepted.optional(),
    differences: texts,
  })
  .openapi('RolloutResult', { description: 'With all receipts, undos and what was read in the soak.' });

const result = z
  .object({
    deployment: z.string(),
    outcome: z.enum(['completed', 'failed', 'rolled-back', 'rejected', 'expired', 'stuck']),
    reason: z.string(),
    environments: z
      .array(z.object({ environment: z.string(), outcome: z.string(), accepted: accepted.optional() }))
      .readonly(),
    evidence: z.object({ uri: z.string(), manifest: z.string(), files: z.int() }),
  })
  .openapi('Result');

export const statusSchema = z
  .object({
    deployment: z.string(),
    service: z.string(),
    summary: z.string(),
    requester: z.string(),
    commit: z.string(),
    pace: z.object({ nominalMs: z.number(), realMs: z.number() }).nullable(),
    ...run,
    result: result.nullable(),
    environments: z
      .array(
        z.object({
          environment: z.string(),
          ...run,
          result: rolloutResult.nullable(),
          lost: z.boolean().openapi({
            description: 'Its changes are still there although it has ended; `soakgate recover` undoes them.',
          }),
          heldBy: z
            .object({
              workflowId: z.string(),
              runId: z.string(),
              deployment: z.string().nullable(),
              deploymentState: state,
            })
            .nullable()
            .openapi({ description: 'The run of another deployment that keeps its rollout out.' }),
          afterwards: z.object({ ...run, result: z.string().nullable() }).nullable(),
        }),
      )
      .readonly(),
    exitCode: z.int().openapi({
      description: 'What `soakgate status` exits with: 8 while it goes on, else the code of its outcome.',
    }),
  })
  .openapi('Deployment', { description: 'As `soakgate status DEPLOYMENT -o json` prints it.' });

/** What the worker of the environment before has signed: every field, because the hash of the report covers it. */
const signedStatement = z
  .object({
    body: z.object({
      deployment: z.string(),
      environment: z.string(),
      plan: z.string(),
      list: z.string(),
      commit: z.string(),
      at: z.string(),
      says: z.literal('soak-passed'),
      steps: z
        .array(
          z.object({
            step: z.string(),
            kind: z.string(),
            verdict: z.enum(['pass', 'fail', 'inconclusive', 'error']),
            rehearsed: z.string().optional(),
          }),
        )
        .readonly(),
      soak: z.object({
        startedAt: z.number(),
        endedAt: z.number(),
        observedMs: z.number(),
        samples: z.int(),
        missed: z.int(),
        gaps: z.int(),
        gapsMs: z.number(),
        extendedMs: z.number(),
        cleanSince: z.number().nullable(),
      }),
    }),
    signature: z.string(),
  })
  .openapi('SignedStatement');

export const gateReportSchema = z
  .object({
    gateReport: z.object({
      deployment: z.string(),
      environment: z.string(),
      number: z.int(),
      plan: z.string(),
      list: z.string(),
      commit: z.string(),
      requester: z.string(),
      statement: z.nullable(signedStatement),
      facts: z.record(z.string(), z.object({ holds: z.boolean(), why: z.string() })),
      summary: texts,
    }),
    hash: z.string(),
    signature: z.string(),
  })
  .openapi('SealedGateReport');

export const acceptedSchema = z.object({ accepted: z.literal(true), text: z.string() }).openapi('Accepted');
export const unknownSchema = z.object({ unknown: z.literal(true), text: z.string() }).openapi('Unanswered');
export const lossesSchema = z.object({ text: z.string() }).openapi('Losses');
export const healthSchema = z.object({ temporal: z.literal('reachable') }).openapi('Health');
