// The routes as data: what each takes, and everything that it may answer. docs/api.md and the OpenAPI
// document are held to them.
import { createRoute, z } from '@hono/zod-openapi';
import { bodyLimit } from 'hono/body-limit';
import { MOST_ROWS } from '../client/door.ts';
import { listStates, type ListState } from '../client/list.ts';
import {
  acceptedSchema,
  gateReportSchema,
  healthSchema,
  lossesSchema,
  pageSchema,
  problemSchema,
  startedSchema,
  statusSchema,
  unknownSchema,
} from './answers.ts';
import { tooLarge } from './problems.ts';
import { messageSchema, name, sentNames, startSchema } from './signed.ts';

const START_BYTES = 2_097_152;
/** As the mailbox of the deployment has it. */
const MESSAGE_BYTES = 32_768;

const json = <Schema extends z.ZodType>(description: string, schema: Schema) => ({
  description,
  content: { 'application/json': { schema } },
});
const body = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true,
  content: { 'application/json': { schema } },
});
const within = (maxSize: number) =>
  bodyLimit({
    maxSize,
    onError: () => {
      throw tooLarge(maxSize);
    },
  });

const why = {
  400: 'The request cannot be read: header, query, name or JSON.',
  403: 'Refused by the environment’s worker, or a gate report that must not be signed.',
  404: 'There is no such deployment.',
  409: 'It conflicts with the present state.',
  413: 'The body is too large.',
  415: 'The body is not application/json.',
  421: 'The Host is no name of this machine.',
  422: 'What was sent is not right; `errors` has every complaint.',
  500: 'The server has failed.',
  503: 'Temporal cannot be reached, or no worker answers; Retry-After says when to try again.',
} as const;
type Refusal = keyof typeof why;

/** 421 and 500 are everybody's. */
function refusals<const Status extends Refusal>(...statuses: readonly Status[]) {
  const all = [...statuses, 421, 500] as const;
  const entries = all.map((status) => [
    status,
    { description: why[status], content: { 'application/problem+json': { schema: problemSchema } } },
  ]);
  return Object.fromEntries(entries) as Record<
    Status | 421 | 500,
    { description: string; content: { 'application/problem+json': { schema: typeof problemSchema } } }
  >;
}

const id = z.object({ id: name });
const states = Object.keys(listStates) as [ListState, ...ListState[]];
const replayed = z.object({ 'Idempotent-Replayed': z.literal('true').optional() });

export const startRoute = createRoute({
  method: 'post',
  path: '/v1/deployments',
  operationId: 'startDeployment',
  summary: 'Start what was signed; the same again answers with the first.',
  middleware: within(START_BYTES),
  request: {
    headers: z.object({ 'Idempotency-Key': z.string().regex(/^[\x21-\x7e]{1,255}$/) }),
    // Read by a thread of its own, not by the framework.
    body: {
      required: true,
      content: { 'application/json': { schema: { $ref: '#/components/schemas/SignedStart' } } },
    },
  },
  responses: {
    201: json('Started: Temporal has it.', startedSchema),
    200: { ...json('The same start had this name, or this key, before.', startedSchema), headers: replayed },
    ...refusals(400, 409, 413, 415, 422, 503),
  },
});

export const listRoute = createRoute({
  method: 'get',
  path: '/v1/deployments',
  operationId: 'listDeployments',
  summary: 'Deployments, running ones first.',
  request: {
    query: z.object({
      limit: z.coerce.number().int().min(1).max(MOST_ROWS).default(50),
      state: z.enum(states).optional(),
      service: z.string().min(1).max(200).optional(),
      cursor: z
        .string()
        .regex(/^[A-Za-z0-9_-]{1,2048}$/)
        .optional(),
    }),
  },
  responses: { 200: json('A page.', pageSchema), ...refusals(400, 422, 503) },
});

export const statusRoute = createRoute({
  method: 'get',
  path: '/v1/deployments/{id}',
  operationId: 'getDeployment',
  summary: 'Where one deployment is.',
  request: { params: id },
  responses: { 200: json('Its progress tree.', statusSchema), ...refusals(400, 404, 503) },
});

export const signedStartRoute = createRoute({
  method: 'get',
  path: '/v1/deployments/{id}/start',
  operationId: 'getSignedStart',
  summary: 'The signed start, from which whoever signs computes again what was started.',
  request: { params: id },
  responses: { 200: json('As it was sent.', startSchema), ...refusals(400, 404, 503) },
});

export const gateReportRoute = createRoute({
  method: 'get',
  path: '/v1/deployments/{id}/gate-report/{environment}',
  operationId: 'getGateReport',
  summary: 'The sealed gate report on which an environment is approved.',
  request: { params: id.extend({ environment: z.string().min(1).max(200) }) },
  responses: {
    200: json('The gate report that stands now.', gateReportSchema),
    ...refusals(400, 403, 404, 409, 422, 503),
  },
});

export const lossesRoute = createRoute({
  method: 'get',
  path: '/v1/deployments/{id}/losses/{environment}',
  operationId: 'getLosses',
  summary: 'What a restore in this environment would lose now; counted by its worker.',
  request: { params: id.extend({ environment: z.string().min(1).max(200) }) },
  responses: {
    200: json('The count, or why there is none.', lossesSchema),
    ...refusals(400, 404, 422, 503),
  },
});

export const messageRoute = createRoute({
  method: 'post',
  path: '/v1/deployments/{id}/messages/{message}',
  operationId: 'sendMessage',
  summary: 'A signed message.',
  middleware: within(MESSAGE_BYTES),
  request: { params: id.extend({ message: z.enum(sentNames) }), body: body(messageSchema) },
  responses: {
    200: json('The environment’s worker has verified it, and it counts.', acceptedSchema),
    202: json('No worker answered in time: it waits as a signal, and may still be refused.', unknownSchema),
    ...refusals(400, 403, 404, 409, 413, 415, 422, 503),
  },
});

export const documentRoute = createRoute({
  method: 'get',
  path: '/v1/openapi.json',
  operationId: 'getDocument',
  summary: 'This document.',
  responses: { 200: json('OpenAPI 3.1.', z.record(z.string(), z.unknown())), ...refusals() },
});

export const healthRoute = createRoute({
  method: 'get',
  path: '/healthz',
  operationId: 'getHealth',
  summary: 'Whether Temporal can be reached.',
  responses: { 200: json('It can.', healthSchema), ...refusals(503) },
});

export const routes = [
  startRoute,
  listRoute,
  statusRoute,
  signedStartRoute,
  gateReportRoute,
  lossesRoute,
  messageRoute,
  documentRoute,
  healthRoute,
] as const;
