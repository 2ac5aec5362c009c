// A door with nothing behind it, and a start to knock with: for what the server decides by itself.
import { createPrivateKey } from 'node:crypto';
import type { DeploymentClient, StartedHere } from '../../src/client/door.ts';
import { makeApp } from '../../src/api/app.ts';
import { Refused } from '../../src/api/problems.ts';
import { readStart } from '../../src/api/start-reader.ts';
import { compileSteps } from '../../src/core/compile.ts';
import type { MessageName, Signed, StartBody } from '../../src/core/messages.ts';
import type { Json } from '../../src/core/plan/plan.ts';
import { createKey, hashJson, signMessage } from '../../src/io/trust.ts';
import { gatedPlan } from '../cli/play.ts';
import { planOf } from '../core/plan/small-plan.ts';

const key = createPrivateKey(createKey().privatePem);
const commit = 'c'.repeat(40);
const hash = 'a'.repeat(64);
const expires = '2099-01-01T00:00:00.000Z';

export function signedStart(changes: Partial<StartBody> = {}): Signed<StartBody> {
  const planText = gatedPlan('staging');
  const plan = planOf(planText);
  const lists = {
    staging: hashJson(compileSteps({ plan, environment: 'staging', commit, files: {}, pace: null })),
  };
  const bound = {
    deployment: 'one',
    namespace: 'default',
    nonce: 'n-1',
    expires,
    planText,
    planFile: 'soakgate.yaml',
  };
  return signMessage(key, 'start', 'ann', {
    ...bound,
    plan: hashJson(plan),
    commit,
    files: {},
    pace: null,
    lists,
    ...changes,
  });
}

/** Every message with what its command signs. */
export const fieldsOf: Readonly<Record<Exclude<MessageName, 'start'>, Readonly<Record<string, Json>>>> = {
  approve: { plan: hash, list: hash, commit, gateReport: hash, comment: '' },
  reject: { reason: '' },
  attest: { plan: hash, attestation: 'tried', text: 'It was tried' },
  decide: { decision: 'continue' },
  pause: {},
  resume: {},
  abort: {},
  rollback: { route: 'old-code' },
  checkNow: {},
  extendSoak: { byMs: 60_000 },
  stopChecks: {},
};

export const signedMessage = (
  message: keyof typeof fieldsOf,
  body: Readonly<Record<string, Json>> = {},
): Signed =>
  signMessage(key, message, 'dan', {
    deployment: 'one',
    environment: 'staging',
    namespace: 'default',
    nonce: 'n-2',
    signedAt: '2026-01-01T00:00:00.000Z',
    expires,
    ...fieldsOf[message],
    ...body,
  });

export const started: StartedHere = {
  deployment: 'one',
  workflowId: 'deployment/one',
  runId: 'r',
  fresh: true,
  running: true,
  link: null,
};

/** Does only what it is told to; counts what it was asked. */
export function standIn(does: Partial<DeploymentClient> = {}) {
  const asked: string[] = [];
  const log: string[] = [];
  const nothing = (name: string) => async (): Promise<never> =>
    Promise.reject(new Error(`nobody does ${name}: secret`));
  const door: DeploymentClient = {
    reach: async () => void asked.push('reach'),
    start: nothing('start'),
    list: nothing('list'),
    input: nothing('input'),
    status: nothing('status'),
    gateReport: nothing('gateReport'),
    losses: nothing('losses'),
    send: nothing('send'),
    close: async () => undefined,
    ...does,
  };
  const app = makeApp({
    door,
    readStart: async (body) => {
      const reading = await readStart(body);
      if ('refused' in reading) throw new Refused(reading.refused);
      if ('failed' in reading) throw new Error(reading.failed);
      return reading.read;
    },
    loopbackOnly: true,
    log: { level: 'info', info: (text) => void log.push(text), error: (text) => void log.push(text) },
  });
  const host = { host: '127.0.0.1:8230' };
  const get = async (path: string, headers: Readonly<Record<string, string>> = {}) =>
    app.request(path, { headers: { ...host, ...headers } });
  const post = async (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
    app.request(path, {
      method: 'POST',
      headers: { ...host, 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return { app, door, asked, log, get, post };
}
