// Who vouches for what in the evidence of a whole deployment; and that whoever holds the control key, and may seal a
// package again as he likes, cannot make a forged signature pass.
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { stringify } from 'yaml';
import { sendMessage } from '../../src/client/send.ts';
import { deploymentWorkflowId } from '../../src/core/ids.ts';
import { type EvidenceVerdict, verifyEvidence } from '../../src/io/evidence.ts';
import { readTrust } from '../../src/io/trust-file.ts';
import type { DeploymentResult } from '../../workflows/contract.ts';
import { call } from '../cli/call.ts';
import { forgeries, json, type Kit, pem } from './forgeries.ts';
import { opensslSays, sealAgain, sha256Of, textUnder, canonicalText } from '../support/another-judge.ts';
import {
  type Cast,
  ordersDatabase,
  query,
  raiseEnvironment,
  raiseStage,
  type Stage,
  start,
} from '../support/stage.ts';
import { openGate, PACE, sealedGateReport, signFor, twoPlacesPlan } from '../support/two-places.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });
let stage: Stage;
const casts: Cast[] = [];
let folder: string;
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
  const started = await start(stage, twoPlacesPlan('staging', 'production'), { pace: PACE });
  folder = join(stage.artifacts, 'evidence', started.deployment);
  const report = await sealedGateReport(stage, started, 'production');
  const say = async (words: Parameters<typeof signFor>[3]) =>
    sendMessage(stage.connected, await signFor(stage, started, report, words));
  // What does not count: another's key, a wrong wording, the requester, a decision that nobody asked for.
  await say({ message: 'approve', person: 'dan', key: 'lea' });
  await say({ message: 'attest', person: 'lea', body: { text: 'It was tried, more or less' } });
  await say({ message: 'approve', person: 'ann' });
  await say({ message: 'abort', person: 'dan', body: { environment: 'nowhere' } });
  await say({ message: 'rollback', person: 'dan', body: { environment: 'staging', fallback: 'restore' } });
  await openGate(stage, started, report);
  const opened = join(folder, 'approvals/production/gate-report.json');
  await vi.waitUntil(() => existsSync(opened), { timeout: 60_000, interval: 50 });
  await say({ message: 'approve', person: 'dan', body: { comment: 'once more' } });
  const handle = stage.connected.client.workflow.getHandle(deploymentWorkflowId(started.deployment));
  expect((await handle.result()) as DeploymentResult).toMatchObject({ outcome: 'completed' });
  const keys = join(stage.folder, 'keys.yaml');
  const worker = (await stage.worker('production')).publicText;
  await writeFile(keys, stringify({ 'soakgate-trust': 1, workers: { production: worker } }));
  trust = [...casts.map(({ place }) => place.file), keys];
}, 200_000);
afterAll(async () => {
  await Promise.all(casts.map((cast) => cast.stop()));
  await stage?.stop();
});

const verify = async (at: string, files = trust): Promise<EvidenceVerdict> => {
  const keys = await readTrust(files);
  return verifyEvidence(at, keys.control ?? undefined, keys);
};
describe('the honest package', () => {
  test('is valid: every line has somebody who vouches for it', async () => {
    const verdict = await verify(folder);
    expect(verdict).toMatchObject({ state: 'valid', problems: [], unproven: [], vouching: { faults: [] } });
    const lines = verdict.vouching!.lines.map(({ who, roles, what, fault }) => [
      who,
      roles.join(),
      what,
      fault,
    ]);
    expect(lines).toEqual(
      expect.arrayContaining([
        ['ann', 'developer', expect.stringMatching(/^started orders-\w+: plan [0-9a-f]{12}…, commit/u), null],
        ['lea', 'lead', expect.stringMatching(/^approved production, gate report [0-9a-f]{12}…$/u), null],
        ['dan', 'dba', expect.stringMatching(/^approved production/u), null],
        ['lea', 'lead', 'attested production, tried: It was tried by hand', null],
        [
          'worker of staging',
          '',
          expect.stringMatching(/^soak passed: observed [\d.]+ seconds, \d+ samples/u),
          null,
        ],
        ['worker of staging', '', expect.stringMatching(/^closed as passed/u), null],
        ['worker of production', '', expect.stringMatching(/^closed as passed/u), null],
        ['control', '', expect.stringMatching(/^sealed gate report/u), null],
      ]),
    );
    expect(verdict.vouching!.sealedOnly).toEqual(
      expect.arrayContaining(['SUMMARY.md', 'delta.json', expect.stringMatching(/^logs\/ \(\d+\)$/u)]),
    );
  });

  test('another judge finds every signature good, over the text that docs/evidence.md describes', async () => {
    const begun = await json(join(folder, 'approvals/start.json'));
    begun.body.planText = await readFile(join(folder, 'plan.yaml'), 'utf8');
    const good: [string, string, string][] = [
      [stage.people.ann.publicText, textUnder('start', 'ann', begun.body), begun.signature],
    ];
    for (const name of await readdir(join(folder, 'approvals/production'))) {
      const record = await json(join(folder, 'approvals/production', name));
      if (name === 'gate-report.json') {
        expect(sha256Of(canonicalText(record.gateReport))).toBe(record.hash);
        good.push([
          stage.control.publicText,
          textUnder('gateReport', 'control', record.gateReport),
          record.signature,
        ]);
        continue;
      }
      const { message, person, body, signature } = record.signed;
      good.push([stage.people[person as 'lea'].publicText, textUnder(message, person, body), signature]);
    }
    for (const name of await readdir(join(folder, 'statements'))) {
      const { body, signature } = await json(join(folder, 'statements', name));
      const key = (await stage.worker(body.environment)).publicText;
      good.push([key, textUnder('statement', body.environment, body), signature]);
    }
    const { hash, signature, ...manifest } = await json(join(folder, 'manifest.json'));
    expect(sha256Of(canonicalText(manifest))).toBe(hash);
    good.push([stage.control.publicText, textUnder('manifest', 'control', manifest), signature]);
    expect(good.length).toBeGreaterThanOrEqual(9);
    for (const [key, text, signature_] of good) expect(await opensslSays(key, text, signature_)).toBe(true);
    expect(await opensslSays(good[0]![0], `${good[0]![1]} `, good[0]![2])).toBe(false);
  });

  test('what was refused stands under Refused, and nowhere else', async () => {
    const { refused, more, unreadable } = await json(join(folder, 'refused.json'));
    expect({ more, unreadable }).toEqual({ more: 0, unreadable: 0 });
    expect(refused.map(({ message, person, why }: Record<string, string>) => [message, person, why])).toEqual(
      [
        ['approve', 'dan', expect.stringMatching(/the gate of production has opened already/u)],
        ['rollback', 'dan', expect.stringMatching(/restore is no rollback of this plan/u)],
        ['approve', 'dan', 'refused: the signature does not match the public key'],
        ['attest', 'lea', expect.stringMatching(/it attests other words/u)],
        ['approve', 'ann', expect.stringMatching(/cannot approve it/u)],
        ['abort', 'dan', expect.stringMatching(/no environment nowhere/u)],
      ],
    );
    const summary = await readFile(join(folder, 'SUMMARY.md'), 'utf8');
    const [decided, after] = summary.split('## Who decided')[1]!.split('## Refused');
    expect(decided).not.toMatch(/once more|more or less|rollback/u);
    expect(decided).toMatch(/\| dan \| approve|\| dan \| dba \| approve/u);
    expect(after).toContain('| unproven: dan | approve | production | refused: the signature does not match');
    expect(
      (await readdir(join(folder, 'approvals/production'))).filter((name) => name.startsWith('approve')),
    ).toHaveLength(2);
    const { vouching } = await verify(folder);
    expect(vouching!.refused.map(({ who, fault }) => [who, fault])).toEqual(
      expect.arrayContaining([['dan', expect.stringMatching(/has opened already.*\(good signature\)$/u)]]),
    );
  });

  test('the command says it person by person, and its exit code is 0', async () => {
    const args = trust.flatMap((file) => ['--trust', file]);
    const { code, out, err } = await call(['evidence', 'verify', folder, ...args]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/: valid, manifest [0-9a-f]{64}\n/u);
    expect(out).toMatch(
      /\ndan \(dba\)\n {2}✓ approved production, gate report [0-9a-f]{12}…: signature good\n/u,
    );
    expect(out).toMatch(/\nSealed by the control key only\n.*SUMMARY\.md/u);
    const asJson = await call(['evidence', 'verify', folder, ...args, '-o', 'json']);
    expect(JSON.parse(asJson.out)).toMatchObject({ state: 'valid', vouching: { faults: [] } });
    // The name of the deployment will do as well.
    const env = { TEMPORAL_ADDRESS: stage.server.address };
    const named = await call(['evidence', 'verify', basename(folder), ...args], { env });
    expect(named.out).toBe(out);
  });

  test('a key that the trusted files do not hold vouches for nothing', async () => {
    const without = async (files: string[]) => {
      const { state, vouching } = await verify(folder, files);
      return [
        state,
        ...vouching!.lines.flatMap(({ who, fault }) => (fault === null ? [] : [`${who}: ${fault}`])),
      ];
    };
    expect(await without(trust.slice(0, 2))).toEqual([
      'not vouched for',
      'worker of production: unknown key: the trusted files name no worker of production',
      'worker of production: unknown key: the trusted files name no worker of production',
    ]);
    const own = join(stage.folder, 'own.yaml');
    await writeFile(own, stringify({ 'soakgate-trust': 1, control: stage.control.publicText }));
    expect((await without([own])).join('\n')).toMatch(
      /^not vouched for\nann: unknown key: the trusted files name no ann/u,
    );
    const people = Object.fromEntries(
      Object.values(stage.people).map(({ name, publicText }) => [name, publicText]),
    );
    const workers = Object.fromEntries(
      await Promise.all(
        ['staging', 'production'].map(async (name) => [name, (await stage.worker(name)).publicText]),
      ),
    );
    await writeFile(own, stringify({ 'soakgate-trust': 1, people, workers }));
    expect(await verify(folder, [own])).toMatchObject({
      state: 'not vouched for',
      unproven: [expect.stringContaining('the trusted files name no control key')],
    });
    await writeFile(
      own,
      stringify({ 'soakgate-trust': 1, control: stage.control.publicText, people, workers }),
    );
    expect(await verify(folder, [own])).toMatchObject({
      state: 'valid',
      vouching: { notes: [expect.stringContaining('the roles of ann, lea, dan')] },
    });
  });
});

/** What a thief of the control key has, and what others could be made to sign. */
const kit = (): Kit => ({
  control: stage.control.keyFile,
  person: (name) => stage.people[name].keyFile,
  worker: async (name) => (await stage.worker(name)).keyFile,
});

describe('forged by whoever holds the control key, and sealed again', () => {
  test.each(forgeries)('%s is found', async (_what, said, act) => {
    const around = await mkdtemp(join(tmpdir(), 'sg-forged-'));
    const at = join(around, 'package');
    try {
      await cp(folder, at, { recursive: true });
      await act(at, kit());
      await sealAgain(at, await pem(stage.control.keyFile));
      // The seal alone says nothing of it.
      expect(await verifyEvidence(at, stage.control.publicText)).toMatchObject({ state: 'valid' });
      const { state, vouching } = await verify(at);
      expect(state).toBe('not vouched for');
      const all = vouching!.lines.map(({ who, what, fault }) =>
        fault === null ? '' : `${who} ${what}: ${fault}`,
      );
      expect([...all, ...vouching!.faults].filter((line) => said.test(line))).not.toEqual([]);
    } finally {
      await rm(around, { recursive: true, force: true });
    }
  });

  test.each(['rolled-back', 'stuck', 'rejected', 'failed', 'expired', 'restored'])(
    'the outcome %s is found',
    async (outcome) => {
      const at = await mkdtemp(join(tmpdir(), 'sg-forged-'));
      try {
        await cp(folder, at, { recursive: true });
        await sealAgain(at, await pem(stage.control.keyFile), (manifest) => ({ ...manifest, outcome }));
        const { state, vouching } = await verify(at);
        expect(state).toBe('not vouched for');
        expect(vouching!.faults).toContain(`${outcome}, but every environment was closed as passed`);
      } finally {
        await rm(at, { recursive: true, force: true });
      }
    },
  );
});
