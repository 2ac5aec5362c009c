// The routes and what they do. Nothing is answered with "accepted" that Temporal does not have.
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { DeploymentClient } from '../client/door.ts';
import { exitOfStatus } from '../client/outcome.ts';
import { messageOf, Problem } from '../client/problem.ts';
import { errorFields, type Log } from '../io/log.ts';
import { cutOff, isCutOff, jsonBody } from './body.ts';
import { headers, onlyLoopbackNames } from './guard.ts';
import { sendSigned } from './messages.ts';
import { problemBody, shapeProblem } from './problems.ts';
import * as routes from './routes.ts';
import { startSchema } from './signed.ts';
import type { ReadStart } from './start-reader.ts';
import { openStarts } from './starts.ts';

export interface ApiOptions {
  readonly door: DeploymentClient;
  /** Reads the body of a start; @throws what is answered instead. */
  readonly readStart: (body: ArrayBuffer) => Promise<ReadStart>;
  /** Whether only names of this machine are answered to. */
  readonly loopbackOnly: boolean;
  readonly log: Pick<Log, 'level' | 'info' | 'error'>;
}

const RETRY_SECONDS = '5';
const about = {
  openapi: '3.1.0',
  info: { title: 'Soakgate', version: '1', description: 'Deployments by signed messages; docs/api.md.' },
};

/** The server's program, without a port. */
export function makeApp({ door, readStart, loopbackOnly, log }: ApiOptions): OpenAPIHono {
  const app = new OpenAPIHono({
    defaultHook: (result) => {
      if (!result.success) throw shapeProblem(result.target, result.error.issues);
    },
  });
  app.use(headers());
  if (loopbackOnly) app.use(onlyLoopbackNames());
  app.use(async (c, next) => {
    await next();
    if (c.req.method === 'POST') log.info(`POST ${c.req.path} ${c.res.status}`);
  });
  app.openAPIRegistry.register('SignedStart', startSchema);
  addRoutes(app, door, readStart);
  app.notFound((c) => answerProblem(c, new Problem('unknown', `there is no ${c.req.method} ${c.req.path}`)));
  app.onError((error, c) => {
    const answer = answerProblem(c, isCutOff(error, c) ? cutOff() : error);
    if (answer.status === 500)
      log.error(
        `internal error in ${c.req.method} ${c.req.path}: ${messageOf(error)}`,
        errorFields(error, log.level),
      );
    return answer;
  });
  return app;
}

function addRoutes(app: OpenAPIHono, door: DeploymentClient, readStart: ApiOptions['readStart']): void {
  const start = openStarts(door);
  app.openapi(routes.startRoute, async (c) => {
    const { answer, replayed } = await start(
      c.req.valid('header')['Idempotency-Key'],
      await readStart(await jsonBody(c)),
    );
    if (replayed) c.header('idempotent-replayed', 'true');
    if (replayed || !answer.fresh) return c.json(answer, 200);
    c.header('location', `/v1/deployments/${answer.deployment}`);
    return c.json(answer, 201);
  });
  app.openapi(routes.listRoute, async (c) => {
    const { limit, state, service, cursor } = c.req.valid('query');
    const query = {
      limit,
      ...(state && { state }),
      ...(service !== undefined && { service }),
      ...(cursor !== undefined && { cursor }),
    };
    return c.json(await door.list(query), 200);
  });
  app.openapi(routes.statusRoute, async (c) => {
    const status = await (await door.status(c.req.valid('param').id)).read();
    return c.json({ ...status, exitCode: exitOfStatus(status) } as never, 200);
  });
  app.openapi(routes.signedStartRoute, async (c) =>
    c.json((await door.input(c.req.valid('param').id)).start as never, 200),
  );
  app.openapi(routes.gateReportRoute, async (c) => {
    const { id, environment } = c.req.valid('param');
    return c.json(await door.gateReport(await door.input(id), environment), 200);
  });
  app.openapi(routes.lossesRoute, async (c) => {
    const { id, environment } = c.req.valid('param');
    return c.json({ text: await door.losses(await door.input(id), environment) }, 200);
  });
  app.openapi(routes.messageRoute, async (c) => {
    const { id, message } = c.req.valid('param');
    const { outcome, text } = await sendSigned(door, id, message, c.req.valid('json'));
    return outcome === 'accepted'
      ? c.json({ accepted: true, text } as const, 200)
      : c.json({ unknown: true, text } as const, 202);
  });
  app.openapi(routes.documentRoute, (c) => c.json(app.getOpenAPI31Document(about) as never, 200));
  app.openapi(routes.healthRoute, async (c) => {
    await door.reach();
    return c.json({ temporal: 'reachable' } as const, 200);
  });
}

function answerProblem(c: Context, error: unknown): Response {
  const body = problemBody(error);
  if (body.status === 503) c.header('retry-after', RETRY_SECONDS);
  return c.body(JSON.stringify(body), body.status as 400, { 'content-type': 'application/problem+json' });
}
