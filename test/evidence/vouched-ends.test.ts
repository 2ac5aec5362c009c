// Packages of deployments that did not end well are vouched for as well, by those who can; and where nobody can, the
// answer says so.
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { stringify } from 'yaml';
import { sendMessage } from '../../src/client/send.ts';
import { deploymentWorkflowId } from '../../src/core/ids.ts';
import { verifyEvidence } from '../../src/io/evidence.ts';
import { readTrust } from '../../src/io/trust-file.ts';
import { sealAgain } from '../support/another-judge.ts';
import {
  type Cast,
  ordersDatabase,
  query,
  raiseEnvironment,
  raiseStage,
  type Stage,
  start,
} from '../support/stage.ts';
import { PACE, sealedGateReport, signFor, twoPlacesPlan, type Words } from '../support/two-places.ts';
import { pem } from './forgeries.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });
let stage: Stage;
const casts: Cast[] = [];
let trust: string[];

beforeAll(async () => {
  stage = await raiseStage();
  for (const environment of ['staging', 'production']) {
    const database = await ordersDatabase(stage, environment);
    await query(
      database,
      `insert into customers (name, email) values ('a', 'a@example.org');
       insert into orders (customer_id, status, total_cents) values (1, 'paid', -700)`,
    );
    casts.push(
      await raiseEnvironment(stage, database, {
        environment,
        guardrails: { programs: ['node'] },
        ...(casts[0] && { control: casts[0].control }),
      }),
    );
  }
  const keys = join(stage.folder, 'keys.yaml');
  const worker = (await stage.worker('production')).publicText;
  await writeFile(keys, stringify({ 'soakgate-trust': 1, workers: { production: worker } }));
  trust = [...casts.map(({ place }) => place.file), keys];
}, 200_000);
afterAll(async () => {
  await Promise.all(casts.map((cast) => cast.stop()));
  await stage?.stop();
});

const begin = (changes: Parameters<typeof twoPlacesPlan>[2] = {}) =>
  start(stage, twoPlacesPlan('staging', 'production', changes), { pace: PACE });
type Started = Awaited<ReturnType<typeof begin>>;
const handleOf = ({ deployment }: Started) =>
  stage.connected.client.workflow.getHandle(deploymentWorkflowId(deployment));
const folderOf = ({ deployment }: Started) => join(stage.artifacts, 'evidence', deployment);

const atGate = async (started: Started, words: Words) => {
  const report = await sealedGateReport(stage, started, 'production');
  const sent = await sendMessage(stage.connected, await signFor(stage, started, report, words));
  expect(sent).toMatchObject({ outcome: 'accepted' });
};
const verified = async (folder: string) => {
  const keys = await readTrust(trust);
  const { state, vouching, problems } = await verifyEvidence(folder, keys.control!, keys);
  const bad = vouching!.lines.filter(({ fault }) => fault !== null);
  return {
    state,
    wrong: [...problems, ...vouching!.faults, ...bad.map(({ what, fault }) => `${what}: ${fault}`)],
    notes: vouching!.notes,
    good: vouching!.lines.filter(({ fault }) => fault === null).map(({ who, what }) => `${who} ${what}`),
  };
};
/** The same package without one of its files, sealed again with the control key. */
const without = async (folder: string, file: string) => {
  const at = await mkdtemp(join(stage.folder, 'without-'));
  await cp(folder, at, { recursive: true });
  await rm(join(at, file), { recursive: true });
  await sealAgain(at, await pem(stage.control.keyFile));
  return verified(at);
};

test('failed before anything was done: the outcome is nobody else’s word, and that is said', async () => {
  const started = await begin({ extra: '  - { step: tool, check: { command: [sh, -c, "exit 0"] } }\n' });
  expect(await handleOf(started).result()).toMatchObject({ outcome: 'failed' });
  expect(await verified(folderOf(started))).toMatchObject({
    state: 'valid',
    wrong: [],
    notes: ["the outcome failed is the control worker's word: nobody else states it"],
  });
});

test('rolled back by a signed abort', async () => {
  const started = await begin();
  await atGate(started, { message: 'abort', person: 'lea', body: { environment: 'staging' } });
  expect(await handleOf(started).result()).toMatchObject({ outcome: 'rolled-back' });
  const { state, wrong, notes, good } = await verified(folderOf(started));
  expect({ state, wrong, notes }).toEqual({ state: 'valid', wrong: [], notes: [] });
  expect(good).toEqual(
    expect.arrayContaining([
      'lea abort in staging',
      expect.stringMatching(/^worker of staging closed as restored/u),
    ]),
  );
  expect((await without(folderOf(started), 'statements/staging-closed.json')).wrong).toEqual([
    'staging: nobody vouches for how it ended; there is no good statement of its worker',
  ]);
});

test('sealed by a rollout, because its deployment was terminated', async () => {
  const started = await begin();
  await sealedGateReport(stage, started, 'production');
  await handleOf(started).terminate('by a test');
  const manifest = join(folderOf(started), 'manifest.json');
  await vi.waitUntil(() => existsSync(manifest), { timeout: 60_000, interval: 100 });
  expect(await verified(folderOf(started))).toMatchObject({ state: 'valid', wrong: [], notes: [] });
});

test('rejected at the gate, after somebody had approved', async () => {
  const started = await begin();
  await atGate(started, { message: 'approve', person: 'dan' });
  await atGate(started, { message: 'reject', person: 'lea', body: { reason: 'latency rose' } });
  expect(await handleOf(started).result()).toMatchObject({ outcome: 'rejected' });
  const { state, wrong, notes, good } = await verified(folderOf(started));
  expect({ state, wrong, notes }).toEqual({ state: 'valid', wrong: [], notes: [] });
  expect(good).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^dan approved production/u),
      'lea rejected production: latency rose',
      expect.stringMatching(/^worker of staging closed as passed/u),
    ]),
  );
  const reports = await without(folderOf(started), 'gate-reports');
  expect(reports.wrong).toEqual([expect.stringMatching(/^approved production.*is not in the package$/u)]);
});
