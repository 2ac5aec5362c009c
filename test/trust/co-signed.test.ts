// A start that several must sign, from the command line to the evidence: real Temporal, real PostgreSQL, real workers.
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeSomeone } from '../../src/cli/demo/place.ts';
import { deploymentWorkflowId } from '../../src/core/ids.ts';
import type { SignedStart } from '../../src/core/messages.ts';
import type { Manifest } from '../../src/core/evidence.ts';
import { vouchStart } from '../../src/core/vouch/start.ts';
import { readSignedRecords } from '../../src/io/signed-records.ts';
import { readTrust } from '../../src/io/trust-file.ts';
import { verifyMessage } from '../../src/io/trust.ts';
import { caseOf } from '../../src/io/vouched-evidence.ts';
import type { DeploymentResult } from '../../workflows/contract.ts';
import { ask, raiseServer, type Server } from '../api/http.ts';
import { call } from '../cli/call.ts';
import { gatedPlan } from '../cli/play.ts';
import {
  type Cast,
  ordersDatabase,
  query,
  raiseEnvironment,
  raiseStage,
  type Stage,
} from '../support/stage.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });
let stage: Stage;
let cast: Cast;
let server: Server;
let env: Readonly<Record<string, string>>;
beforeAll(async () => {
  stage = await raiseStage();
  const zoe = await makeSomeone(join(stage.folder, 'keys'), 'zoe', ['dba']);
  const people = [...Object.values(stage.people), zoe];
  const database = await ordersDatabase(stage, 'cosigned');
  const guardrails = { start: { each: ['dba', 'lead'] } };
  cast = await raiseEnvironment(stage, database, { people, guardrails });
  const keys = join(stage.folder, 'config', 'soakgate', 'keys');
  await mkdir(keys, { recursive: true, mode: 0o700 });
  for (const { name, keyFile } of people) await cp(keyFile, join(keys, `${name}.key`));
  env = { TEMPORAL_ADDRESS: stage.server.address, XDG_CONFIG_HOME: join(stage.folder, 'config') };
  server = await raiseServer(env);
  const gated = gatedPlan('staging');
  await writeFile(join(stage.folder, 'gated.yaml'), gated);
  await writeFile(join(stage.folder, 'plain.yaml'), gated.replace(/^gate:\n(?: .*\n)+/mu, ''));
}, 120_000);
afterAll(async () => {
  await server?.end();
  await cast?.stop();
  await stage?.stop();
}, 60_000);

const run = (...args: readonly string[]) => call(args, { cwd: stage.folder, env });
const at = (file: string) => join(stage.folder, file);
const startIn = async (file: string) => JSON.parse(await readFile(at(file), 'utf8')) as SignedStart;

/** dan's signed start under this name, as NAME.json. */
async function printed(name: string, plan: string): Promise<string> {
  const how = ['--repository', stage.repository, '--pace', '10m=3s', '--name', name, '--print'];
  const { code, out, err } = await run('start', plan, '--as', 'dan', ...how);
  if (code !== 0) throw new Error(err);
  await writeFile(at(`${name}.json`), out);
  return `${name}.json`;
}

const result = (name: string) =>
  stage.connected.client.workflow.getHandle(deploymentWorkflowId(name)).result() as Promise<DeploymentResult>;

const signed = async (file: string) =>
  (await run('sign', file, '--as', 'lea', '--yes', '--environment-file', cast.place.file)).out;

test('one signature: refused by the worker, with whose is missing, and nothing was done', async () => {
  const file = await printed('alone', 'plain.yaml');
  const early = await run('start', '--signed', file, '--environment-file', cast.place.file);
  expect([early.code, early.err]).toEqual([
    7,
    expect.stringContaining('nothing was started: staging: 1 of 2 signatures, waiting for lead'),
  ]);
  expect((await run('start', '--signed', file)).code).toBe(0);
  const ended = await result('alone');
  expect(ended.outcome).not.toBe('completed');
  expect(JSON.stringify(ended)).toContain(
    'start by dan: 1 of 2 signatures, waiting for lead: run soakgate sign',
  );
  expect(await query(cast.database, "select nspname from pg_namespace where nspname = 'soakgate'")).toEqual(
    [],
  );
  // Under the same name it stays what it was.
  expect(await signed(file)).toBe('2 of 2 signatures\n');
  const again = await run('start', '--signed', file);
  expect([again.code, again.err]).toEqual([6, expect.stringContaining('its signatures differ')]);
});

test('stripped on its way: refused; with both signatures, over the API, it runs, and the evidence names both', async () => {
  const stripped = await printed('stripped', 'plain.yaml');
  expect(await signed(stripped)).toBe('2 of 2 signatures\n');
  const { also: _, ...bare } = await startIn(stripped);
  await writeFile(at(stripped), JSON.stringify(bare));
  expect((await run('start', '--signed', stripped)).code).toBe(0);
  expect(JSON.stringify(await result('stripped'))).toContain('1 of 2 signatures, waiting for lead');

  const file = await printed('both', 'plain.yaml');
  expect(await signed(file)).toBe('2 of 2 signatures\n');
  const body = await startIn(file);
  const key = { 'idempotency-key': 'both' };
  expect((await ask(server, 'POST', '/v1/deployments', { body, headers: key })).status).toBe(201);
  expect((await ask(server, 'GET', '/v1/deployments/both/start')).body).toEqual(body);
  expect(await result('both')).toMatchObject({ outcome: 'completed' });

  const evidence = join(stage.artifacts, 'evidence', 'both');
  const kept = JSON.parse(await readFile(join(evidence, 'approvals/start.json'), 'utf8')) as SignedStart;
  const whole = {
    ...kept,
    body: { ...kept.body, planText: await readFile(join(evidence, 'plan.yaml'), 'utf8') },
  };
  expect(whole).toEqual(body);
  expect(verifyMessage({ ...whole, ...whole.also![0]! }, stage.people.lea.publicText)).toBe(true);
  const summary = (await readFile(join(evidence, 'SUMMARY.md'), 'utf8')).split('\n');
  expect(summary.filter((line) => line.includes('| start |'))).toEqual([
    expect.stringMatching(/^\| dan \| requester \|/u),
    expect.stringMatching(/^\| lea \| lead \| start \| staging \|.* co-signed \|$/u),
  ]);
});

test('whoever trusts the environment’s file sees both vouch for the start, and neither is missed where one is gone', async () => {
  const worker = (await stage.worker('staging')).publicText;
  await writeFile(at('keys.yaml'), JSON.stringify({ 'soakgate-trust': 1, workers: { staging: worker } }));
  const folder = join(stage.artifacts, 'evidence', 'both');
  const verify = (...trust: readonly string[]) =>
    run('evidence', 'verify', folder, ...trust.flatMap((file) => ['--trust', file]), '-o', 'json');
  const { code, out, err } = await verify(cast.place.file, 'keys.yaml');
  expect([code, err]).toEqual([0, '']);
  const lines = (JSON.parse(out) as { vouching: { lines: { who: string; what: string; fault: unknown }[] } })
    .vouching.lines;
  const starts = lines.filter(({ what }) => what.startsWith('started both'));
  expect(starts.map(({ who, fault }) => [who, fault])).toEqual([
    ['dan', null],
    ['lea', null],
  ]);
  const records = await readSignedRecords(folder, ['plan.yaml', 'approvals/start.json']);
  const keys = await readTrust([cast.place.file]);
  const said = (also: SignedStart['also']) =>
    vouchStart({
      ...caseOf({ ...records, start: { ...records.start!, also } }, { deployment: 'both' } as Manifest, keys),
    }).lines.map(({ who, fault }) => `${who}: ${fault}`);
  const [lea] = records.start!.also!;
  expect(said([])).toEqual([expect.stringContaining('dan: staging: 1 of 2 signatures, waiting for lead')]);
  expect(said([{ ...lea!, signature: records.start!.signature }])).toEqual([
    expect.stringContaining('1 of 2 signatures'),
    expect.stringContaining('lea: bad signature'),
  ]);
  expect(said([lea!, { person: 'mallory', signature: 'x' }]).at(-1)).toContain('mallory: unknown key');
});

test('a stranger’s signature in the name of somebody whom the environment knows is refused, not counted', async () => {
  const file = await printed('forged', 'plain.yaml');
  const start = await startIn(file);
  const stranger = await makeSomeone(at('stranger'), 'lea', []);
  const { out } = await run(
    'sign',
    file,
    '--as',
    'lea',
    '--key',
    stranger.keyFile,
    '--yes',
    '--out',
    'forged2.json',
  );
  expect(out).toBe('2 signatures\n');
  expect((await startIn('forged2.json')).body).toEqual(start.body);
  expect((await run('start', '--signed', 'forged2.json')).code).toBe(0);
  expect(JSON.stringify(await result('forged'))).toContain(
    'start by dan, signed by lea: the signature does not match the public key',
  );
});

test('who has co-signed approves nothing; too few are said to the first who wants to approve', async () => {
  const approve = (name: string, as: string) => run('approve', name, 'staging', '--as', as, '--yes');
  const sealed = async (name: string) => {
    for (const deadline = Date.now() + 60_000; Date.now() < deadline;) {
      const { err } = await approve(name, 'dan');
      if (!err.includes('no gate report')) return err;
    }
    throw new Error('no gate report');
  };
  const alone = await printed('waits', 'gated.yaml');
  expect((await run('start', '--signed', alone)).code).toBe(0);
  expect(await sealed('waits')).toContain('dan requested this deployment and cannot approve it');
  const early = await approve('waits', 'zoe');
  expect([early.code, early.err]).toEqual([
    7,
    expect.stringContaining('staging refuses the start: 1 of 2 signatures, waiting for lead'),
  ]);
  expect((await run('reject', 'waits', 'staging', '--as', 'lea', '--yes')).code).toBe(0);
  await result('waits');

  const file = await printed('gate', 'gated.yaml');
  // lea asks for it, dan signs beside.
  const how = ['--repository', stage.repository, '--pace', '10m=3s', '--name', 'gate', '--print'];
  await writeFile(at(file), (await run('start', 'gated.yaml', '--as', 'lea', ...how)).out);
  expect((await run('sign', file, '--as', 'dan', '--yes')).out).toBe('2 signatures\n');
  expect((await run('start', '--signed', file)).code).toBe(0);
  expect(await sealed('gate')).toContain('dan has signed the start of this deployment and cannot approve it');
  expect((await approve('gate', 'zoe')).out).toBe('counted, 1 of 1\n');
  expect((await run('attest', 'gate', 'staging', 'tried', '--as', 'lea', '--yes')).code).toBe(0);
  expect(await result('gate')).toMatchObject({ outcome: 'completed' });
});
