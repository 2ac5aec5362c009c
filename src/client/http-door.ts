// The door through a Soakgate server (`--server URL`): the same questions, the same answers, the same
// Problems.
import { randomUUID } from 'node:crypto';
import type { SealedGateReport, Signed, SignedStart } from '../core/messages.ts';
import { failures, type FailureCode } from '../core/failures.ts';
import type { DeploymentClient, StartedHere } from './door.ts';
import { checkGateReport } from './gate-report.ts';
import { type HttpAnswer, type HttpClient, httpPlace } from './http-place.ts';
import type { ListPage } from './list.ts';
import { Problem, type ProblemKind } from './problem.ts';
import { deploymentInput } from './recompile.ts';
import type { DeploymentStatus } from './status.ts';

/** What the server says when it cannot do something (RFC 9457). */
interface Told {
  readonly code: string;
  readonly detail: string;
  readonly remedy?: string;
  readonly errors?: readonly string[];
}

const kinds = [
  'usage',
  'unknown',
  'conflict',
  'not-allowed',
  'pending',
  'busy',
  'unreachable',
] as const satisfies readonly ProblemKind[];
/** Where the code is one of the table of failures. */
const byStatus: Readonly<Record<number, ProblemKind>> = {
  403: 'not-allowed',
  404: 'unknown',
  409: 'conflict',
  503: 'unreachable',
};

/** @throws Problem when this is not a server address. */
export function httpDeploymentClient(url: string): DeploymentClient {
  const place = httpPlace(url);
  const get = async <T>(path: string): Promise<T> => taken<T>(await place.ask('GET', path));
  return {
    reach: async () => void (await get('healthz')),
    // A key of its own for each command: what makes it one start is the deployment's name.
    start: async (signed: SignedStart) =>
      taken<StartedHere>(
        await place.ask('POST', 'v1/deployments', {
          body: signed,
          headers: { 'idempotency-key': randomUUID() },
        }),
      ),
    list: (query) => {
      const asked = new URLSearchParams(
        Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
      );
      return get<ListPage>(`v1/deployments?${asked.toString()}`);
    },
    // Compiled here from what was signed: the server's word is not needed for what a person is about to sign.
    input: async (deployment) => deploymentInput(await get<SignedStart>(`${of(deployment)}/start`)),
    status: async (deployment) => ({ read: () => get<DeploymentStatus>(of(deployment)) }),
    gateReport: async (input, environment) =>
      checkGateReport(
        await get<SealedGateReport>(
          `${of(input.start.body.deployment)}/gate-report/${encodeURIComponent(environment)}`,
        ),
        input,
        environment,
      ),
    losses: async (input, environment) => {
      const path = `${of(input.start.body.deployment)}/losses/${encodeURIComponent(environment)}`;
      return (await get<{ readonly text: string }>(path)).text;
    },
    send: (signed) => send(place, signed),
    close: async () => undefined,
  };
}

const of = (deployment: string): string => `v1/deployments/${encodeURIComponent(deployment)}`;

/** A refusal is an answer; that nobody answered in time is one too. */
async function send(place: HttpClient, signed: Signed): ReturnType<DeploymentClient['send']> {
  const answer = await place.ask('POST', `${of(signed.body.deployment)}/messages/${signed.message}`, {
    body: signed,
  });
  if (answer.status === 403) return { outcome: 'refused', text: (answer.json as Told).detail };
  const { text } = taken<{ readonly text: string }>(answer);
  return { outcome: answer.status === 202 ? 'unknown' : 'accepted', text };
}

/** What was asked for. @throws Problem as the server said it. */
function taken<T>({ status, json }: HttpAnswer): T {
  if (status < 400) return json as T;
  const { code, detail, remedy, errors } = json as Told;
  const kind = kinds.find((known) => known === code) ?? byStatus[status] ?? (status < 500 ? 'usage' : null);
  if (!kind) throw new Error(`the server has failed: ${detail}`);
  throw new Problem(kind, detail, remedy ?? null, {
    ...(errors && { details: errors }),
    ...(Object.hasOwn(failures, code) && { failure: code as FailureCode }),
  });
}
