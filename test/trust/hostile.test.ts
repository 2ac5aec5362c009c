// Rule 8 against somebody who reaches Temporal: real server, real environment worker; nothing is written,
// each attempt is refused.
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Permit, Signed } from '../../src/core/messages.ts';
import { CONTROL_QUEUE, observeQueue, rolloutWorkflowId } from '../../src/core/ids.ts';
import { newSoak } from '../../src/core/soak.ts';
import { signMessage } from '../../src/io/trust.ts';
import { hashTree } from '../support/hash-tree.ts';
import { ranNow } from '../support/programs.ts';
import { twoPlacesPlan } from '../support/two-places.ts';
import type { Change } from './change.ts';
import { ALL, forged, loose, soon } from './forgeries.ts';
import { type Kit, raiseKit, ROLLOUT } from './kit.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });
let kit: Kit;
beforeAll(async () => {
  kit = await raiseKit('hostile');
}, 120_000);
afterAll(() => kit?.stop());

describe('refused, and nothing is written', () => {
  let before: object;
  beforeEach(async () => void (before = await kit.everything()));
  afterEach(async () => expect(await kit.everything()).toEqual(before));

  test.each(Object.entries(forged))('%s', async (_name, [change, reason]) => {
    const { run, permit } = await kit.permitFor(change);
    const attempt = await kit.schedule('openRollout', { rollout: run.rollout, permit }, ROLLOUT);
    expect(attempt).toMatchObject({ refused: 'PERMIT_REFUSED', message: expect.stringContaining(reason) });
  });

  test.each(Object.entries(loose))('looser than the guardrails: %s', async (_name, [change, reason]) => {
    const { run, permit } = await kit.permitFor(change);
    expect(await kit.schedule('openRollout', { rollout: run.rollout, permit }, ROLLOUT)).toMatchObject({
      refused: 'GUARDRAIL_NOT_MET',
      message: expect.stringContaining(reason),
    });
  });

  test('a service that the environment does not have: named, before anything is kept', async () => {
    const plan = twoPlacesPlan('staging', 'production').replace('service: orders', 'service: shop');
    const { run, permit } = await kit.permitFor({ plan });
    const asker = rolloutWorkflowId('shop', 'production');
    expect(await kit.schedule('openRollout', { rollout: run.rollout, permit }, asker)).toMatchObject({
      refused: 'SERVICE_UNKNOWN',
      message: expect.stringContaining('has no service shop'),
    });
  });

  test('what was signed is not what is asked for: list, plan, environment, names', async () => {
    const { run, permit } = await kit.permitFor();
    const { rollout } = run;
    const { start } = permit;
    const body = {
      ...start.body,
      planText: start.body.planText.replace('total_cents = -total_cents', 'total_cents = 0'),
    };
    // Signed by the right person, but not what the plan compiles to: a client that showed her something else.
    const list = 'f'.repeat(64);
    const lied = signMessage(await kit.keyOf('ann'), 'start', 'ann', {
      ...start.body,
      lists: { ...start.body.lists, production: list },
    });
    const attempts: [object, Permit | object, string][] = [
      [{ ...rollout, list }, { ...permit, start: lied }, 'the list that was signed is not what'],
      [rollout, {}, ''],
      [{ ...rollout, list: 'f'.repeat(64) }, permit, 'the list that was signed is not what'],
      [{ ...rollout, deployment: 'another' }, permit, 'signed for another deployment'],
      [{ ...rollout, hash: '0123456789' }, permit, 'the names of this rollout are not derived'],
      [rollout, { ...permit, start: { ...start, body } }, 'the signature does not match the public key'],
      [rollout, { ...permit, environment: 'staging' }, 'the permit is for staging'],
    ];
    for (const [ref, given, reason] of attempts) {
      const attempt = await kit.schedule('openRollout', { rollout: ref, permit: given }, ROLLOUT);
      expect(attempt.refused).toMatch(/^(PERMIT_REFUSED|STEP_CRASHED)$/u);
      expect(attempt.message).toContain(reason);
    }
  });

  test('a rollout that was started directly, without a permit, ends without having done anything', async () => {
    const { run, permit } = await kit.permitFor({ sign: [] });
    const result = (await kit.stage.connected.client.workflow.execute('rollout', {
      taskQueue: CONTROL_QUEUE,
      workflowId: ROLLOUT,
      args: [{ run, permit, asksBeforeChange: false }],
    })) as { outcome: string; reason: string };
    expect(result).toMatchObject({
      outcome: 'failed',
      reason: expect.stringContaining('approval is missing'),
    });
    // Its control worker closes the evidence of the attempt; the place itself has written nothing.
    ranNow('rm', ['-rf', join(kit.stage.artifacts, 'evidence', run.rollout.deployment)]);
  });

  test('single activities from a workflow of the attacker, without any permit', async () => {
    const { run } = await kit.permitFor();
    const { rollout, list } = run;
    const undos = ['undoFix', 'downgrade', 'revertSwitch', 'revertRestart', 'undoRun', 'endMaintenance'];
    const kinds = [...new Map(list.steps.map((step) => [step.kind, step])).values()];
    for (const id of [ROLLOUT, undefined]) {
      for (const step of id ? kinds : kinds.slice(-3))
        expect(await kit.schedule(step.kind, { rollout, step }, id), step.kind).toMatchObject({
          refused: 'NOT_PERMITTED',
        });
      for (const undo of id ? undos : undos.slice(0, 1))
        expect(await kit.schedule(undo, { rollout, step: list.steps.at(-1) }, id), undo).toMatchObject({
          refused: 'NOT_PERMITTED',
        });
    }
    const free = {
      ...list.steps[0]!,
      kind: 'run',
      name: 'mine',
      changes: [],
      spec: { command: ['touch', join(kit.cast.place.root, 'owned')] },
    };
    expect(await kit.schedule('run', { rollout, step: free }, ROLLOUT)).toMatchObject({
      refused: 'NOT_PERMITTED',
    });
    const watch = { rollout, phase: 'watch', sliceMs: 100, state: newSoak() };
    expect(await kit.schedule('observe', watch, ROLLOUT, observeQueue('production'))).toMatchObject({
      refused: 'NOT_PERMITTED',
    });
    expect(await kit.schedule('compareRollback', { rollout, ran: [] })).toMatchObject({
      refused: 'NOT_PERMITTED',
    });
    expect(await kit.schedule('closeRollout', { rollout, outcome: 'restored' })).toMatchObject({
      refused: 'NOT_PERMITTED',
    });
    // Where nothing was entered there is nothing to compare or close.
    expect(await kit.schedule('compareRollback', { rollout, ran: [] }, ROLLOUT)).toMatchObject({
      done: { summary: 'nothing was deployed here' },
    });
    expect(await kit.schedule('closeRollout', { rollout, outcome: 'restored' }, ROLLOUT)).toMatchObject({
      done: null,
    });
  });

  test('a name that leads elsewhere is no name: a planted permit is not read, and nothing is written there', async () => {
    const { run, permit } = await kit.permitFor();
    const planted = join(kit.stage.folder, 'planted');
    const hash = relative(join(kit.cast.place.permitStore, 'rollouts'), planted);
    const rollout = { ...run.rollout, hash };
    const step = {
      ...run.list.steps[0]!,
      kind: 'run',
      name: 'mine',
      changes: [],
      spec: { command: ['touch', join(kit.cast.place.root, 'owned')] },
    };
    const list = { ...run.list, steps: [{ ...step, index: 0 }] };
    await mkdir(planted, { recursive: true });
    await writeFile(join(planted, 'kept.json'), JSON.stringify({ rollout, permit, list }));
    const kept = await hashTree(planted);
    const asked: readonly (readonly [string, object])[] = [
      ['run', { rollout, step: list.steps[0] }],
      ['undoRun', { rollout, step: list.steps[0] }],
      ['compareRollback', { rollout, ran: [] }],
      ['countNewer', { rollout }],
      ['closeRollout', { rollout, outcome: 'passed' }],
      ['forwardFix', { rollout, step: list.steps[0], fallback: 'restore' }],
    ];
    for (const [activity, input] of asked)
      expect(await kit.schedule(activity, input, ROLLOUT), activity).toMatchObject({
        refused: 'NOT_PERMITTED',
      });
    const observe = { rollout, phase: 'watch', sliceMs: 100, state: newSoak() };
    expect(await kit.schedule('observe', observe, ROLLOUT, observeQueue('production'))).toMatchObject({
      refused: 'NOT_PERMITTED',
    });
    expect(await hashTree(planted)).toEqual(kept);
    // The control worker writes evidence under names of its own only.
    const closing = {
      deployment: 'orders-1',
      outcome: 'completed',
      start: permit.start,
      workflows: [],
      approvals: [],
    };
    const outcome = {
      environment: 'production',
      receipts: [],
      undos: [],
      outcome: 'passed',
      differences: [],
      soak: null,
    };
    for (const name of ['..', '../planted', '../../planted', 'a/b', '/planted', ''])
      for (const input of [
        { ...closing, deployment: name, environments: [] },
        { ...closing, environments: [{ ...outcome, environment: name }] },
      ])
        expect(
          await kit.schedule('closeEvidence', input, 'deployment/orders-1', CONTROL_QUEUE),
          name,
        ).toMatchObject({
          refused: 'NOT_PERMITTED',
        });
    ranNow('rm', ['-rf', join(kit.stage.artifacts, 'evidence', 'orders-1')]);
  });

  test('messages: another key, another gate report, expired, the requester, somebody unknown', async () => {
    const { run, permit } = await kit.permitFor();
    const { start, gateReport } = permit;
    const expect_ = {
      plan: start.body.plan,
      list: run.rollout.list,
      commit: start.body.commit,
      requester: 'ann',
      gateReport: gateReport!.hash,
    };
    const judge = async (change: NonNullable<Change['sign']>[number]) => {
      const other = await kit.permitFor({ sign: [change] });
      const base = (permit.approvals[0] as Signed).body;
      const body = { ...base, nonce: randomUUID(), ...change.body };
      const signed = signMessage(
        await kit.keyOf(change.key ?? change.person),
        change.message,
        change.person,
        body,
      );
      expect(other.permit.approvals).toHaveLength(1);
      return (
        await kit.schedule('verify', {
          deployment: start.body.deployment,
          environment: 'production',
          signed,
          expect: expect_,
        })
      ).done;
    };
    const refused = (reason: string) =>
      expect.objectContaining({ accepted: false, reason: expect.stringContaining(reason) });
    expect(await judge({ message: 'approve', person: 'dan', key: 'mallory' })).toEqual(
      refused('the signature does not match the public key'),
    );
    expect(await judge({ message: 'approve', person: 'mallory' })).toEqual(
      refused('knows no person mallory'),
    );
    expect(await judge({ message: 'approve', person: 'ann' })).toEqual(refused('cannot approve it'));
    expect(await judge({ message: 'approve', person: 'dan', body: { expires: soon } })).toEqual(
      refused('expired'),
    );
    expect(await judge({ message: 'approve', person: 'dan', body: { gateReport: 'f'.repeat(64) } })).toEqual(
      refused('another gate report'),
    );
    expect(await judge({ message: 'approve', person: 'dan', body: { deployment: 'other' } })).toEqual(
      refused('another deployment'),
    );
  });
});

test('the honest permit opens, once; then only its own rollout and its own list count; closed, it is dead', async () => {
  const { run, permit } = await kit.permitFor();
  const { rollout, list } = run;
  expect(await kit.schedule('openRollout', { rollout, permit }, ROLLOUT)).toMatchObject({
    done: { verdict: 'pass' },
  });
  const before = await kit.everything();
  const migrate = list.steps.find((step) => step.kind === 'migrate')!;
  const fix = list.steps.find((step) => step.kind === 'fixData')!;
  // From a workflow that is not the rollout.
  for (const step of [migrate, fix])
    expect(await kit.schedule(step.kind, { rollout, step })).toMatchObject({ refused: 'NOT_PERMITTED' });
  expect(await kit.schedule('downgrade', { rollout, step: migrate })).toMatchObject({
    refused: 'NOT_PERMITTED',
  });
  expect(await kit.schedule('closeRollout', { rollout, outcome: 'restored' })).toMatchObject({
    refused: 'NOT_PERMITTED',
  });
  // A hostile control worker that holds the rollout's name: other steps, other commands, another kind, before
  // the proof.
  const evil = {
    ...fix,
    spec: { ...fix.spec, rules: [{ name: 'x', table: 'orders', bad: 'true', fix: 'total_cents = 0' }] },
  };
  expect(await kit.schedule('fixData', { rollout, step: evil }, ROLLOUT)).toMatchObject({
    refused: 'NOT_PERMITTED',
  });
  expect(await kit.schedule('run', { rollout, step: migrate }, ROLLOUT)).toMatchObject({
    refused: 'NOT_PERMITTED',
  });
  expect(await kit.schedule('downgrade', { rollout, step: fix }, ROLLOUT)).toMatchObject({
    refused: 'NOT_PERMITTED',
  });
  // Nothing runs before what comes before it, and nothing has ended.
  for (const step of [migrate, fix])
    expect(await kit.schedule(step.kind, { rollout, step }, ROLLOUT)).toMatchObject({
      refused: 'NOT_PERMITTED',
      message: expect.stringMatching(
        /comes before it, and has not passed here|staging must be closed before/u,
      ),
    });
  for (const outcome of ['passed', 'restored', 'failed', 'stuck'])
    expect(await kit.schedule('closeRollout', { rollout, outcome }, ROLLOUT)).toMatchObject({
      refused: 'NOT_PERMITTED',
    });
  // The names of the kept rollout in part.
  for (const part of [{ deployment: 'another' }, { list: 'f'.repeat(64) }])
    expect(
      await kit.schedule('migrate', { rollout: { ...rollout, ...part }, step: migrate }, ROLLOUT),
    ).toMatchObject({ refused: 'NOT_PERMITTED' });
  expect(await kit.everything()).toEqual(before);
  // Another permit for the same rollout, and another deployment beside it.
  const other = await kit.permitFor();
  expect(await kit.schedule('openRollout', { rollout, permit: other.permit }, ROLLOUT)).toMatchObject({
    refused: 'PERMIT_REFUSED',
  });
  expect(
    await kit.schedule('openRollout', { rollout: other.run.rollout, permit: other.permit }, ROLLOUT),
  ).toMatchObject({ refused: 'ROLLOUT_OPEN' });
  // Presented again by its own rollout it still opens; closed it does not.
  expect(await kit.schedule('openRollout', { rollout, permit }, ROLLOUT)).toMatchObject({
    done: { verdict: 'pass' },
  });
  expect(await kit.schedule('compareRollback', { rollout, ran: [] }, ROLLOUT)).toMatchObject({
    done: { summary: 'the database was never changed' },
  });
  expect(await kit.schedule('closeRollout', { rollout, outcome: 'restored' }, ROLLOUT)).toMatchObject({
    done: { body: { outcome: 'failed' } },
  });
  expect(await kit.schedule('openRollout', { rollout, permit }, ROLLOUT)).toMatchObject({
    refused: 'PERMIT_REFUSED',
    message: expect.stringContaining('dead'),
  });
  expect(await kit.schedule('migrate', { rollout, step: migrate }, ROLLOUT)).toMatchObject({
    refused: 'NOT_PERMITTED',
  });
  // A nonce that was spent there does not count for another deployment.
  const nonce = permit.approvals[0]!.body.nonce;
  const replay = await kit.permitFor({ sign: [ALL[0], { ...ALL[1], body: { nonce } }, ALL[2]] });
  expect(
    await kit.schedule('openRollout', { rollout: replay.run.rollout, permit: replay.permit }, ROLLOUT),
  ).toMatchObject({
    refused: 'PERMIT_REFUSED',
    message: expect.stringContaining('has been used before'),
  });
});
