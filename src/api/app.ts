// The routes and what they do. Nothing is answered with "accepted" that Temporal does not have.
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { DeploymentClient } from '../client/door.ts';
import { exitOfStatus } from '../client/outcome.ts';
import { messageOf, Problem } from '../client/problem.ts';
import { errorFields, type Log } from '../io/log.ts';
import { headers, onlyLoopbackNames } from './guard.ts';
import { sendSigned } from './messages.ts';
import { HttpProblem, problemBody } from './problems.ts';
import * as routes from './routes.ts';
import { openStarts } from './starts.ts';

export interface ApiOptions {
  readonly door: DeploymentClient;
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
export function makeApp({ door, loopbackOnly, log }: ApiOptions): OpenAPIHono {
  const app = new OpenAPIHono({ defaultHook: (result) => refuseShape(result) });
  app.use(headers());
  if (loopbackOnly) app.use(onlyLoopbackNames());
  app.use(async (c, next) => {
    await next();
    if (c.req.method === 'POST') log.info(`POST ${c.req.path} ${c.res.status}`);
  });
  addRoutes(app, door);
  app.notFound((c) => answerProblem(c, new Problem('unknown', `there is no ${c.req.method} ${c.req.path}`)));
  app.onError((error, c) => {
    const answer = answerProblem(c, error);
    if (answer.status === 500)
      log.error(
        `internal error in ${c.req.method} ${c.req.path}: ${messageOf(error)}`,
        errorFields(error, log.level),
      );
    return answer;
  });
  return app;
}

function addRoutes(app: OpenAPIHono, door: DeploymentClient): void {
  const start = openStarts(door);
  app.openapi(routes.startRoute, async (c) => {
    const { answer, replayed } = await start(c.req.valid('header')['Idempotency-Key'], c.req.valid('json'));
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

interface Checked {
  readonly success: boolean;
  readonly target: string;
  readonly error?: {
    readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
  };
}

/** All that is wrong at once; only a body that could be read has content to be wrong. */
function refuseShape({ success, target, error }: Checked): void {
  if (success) return;
  const details = (error?.issues ?? []).map(({ path, message }) =>
    [path.map(String).join('.'), message].filter(Boolean).join(': '),
  );
  const inBody = target === 'json';
  throw new HttpProblem(
    inBody ? 422 : 400,
    new Problem(
      'usage',
      inBody ? 'the body is not what the command prints' : `the ${target} is not right`,
      null,
      { details },
    ),
  );
}

function answerProblem(c: Context, error: unknown): Response {
  const body = problemBody(error);
  if (body.status === 503) c.header('retry-after', RETRY_SECONDS);
  return c.body(JSON.stringify(body), body.status as 400, { 'content-type': 'application/problem+json' });
}
