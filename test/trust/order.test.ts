// Whoever holds the name of a rollout that people have opened, after the honest one was ended: production's own record
// decides what runs next, and a soak passes by nobody's word. Real server, worker, database and application.
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allowedUndos } from '../../src/core/allowed-undos.ts';
import { observeQueue } from '../../src/core/ids.ts';
import { newSoak } from '../../src/core/soak.ts';
import type { Permit } from '../../src/core/messages.ts';
import type { ClosingStatement, SignedStatement } from '../../src/core/statements.ts';
import { verifyStatement } from '../../src/io/trust.ts';
import type { EnvironmentRun } from '../../workflows/contract.ts';
import { judge } from '../support/judge.ts';
import { type Attempt, type Kit, raiseKit, ROLLOUT } from './kit.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });
let kit: Kit;
let run: EnvironmentRun;
let permit: Permit;
/** What is handed in with every step. */
let earlier: SignedStatement<ClosingStatement> | undefined;
beforeAll(async () => {
  kit = await raiseKit('order');
  const honest = await kit.permitFor();
  ({ run, permit } = honest);
  const opened = { rollout: run.rollout, permit };
  expect(await ask('openRollout', opened)).toMatchObject({ done: { verdict: 'pass' } });
}, 120_000);
afterAll(() => kit?.stop());

const ask = (activity: string, input: object): Promise<Attempt> => kit.schedule(activity, input, ROLLOUT);
const step = (index: number): Promise<Attempt> => {
  const wanted = run.list.steps[index]!;
  return ask(wanted.kind, { rollout: run.rollout, step: wanted, ...(earlier && { earlier }) });
};
const close = (outcome: string) => ask('closeRollout', { rollout: run.rollout, outcome });

async function closesAsNothing(but: readonly string[] = []): Promise<void> {
  for (const outcome of ['passed', 'restored', 'failed', 'stuck'].filter((one) => !but.includes(one)))
    expect(await close(outcome), outcome).toMatchObject({ refused: 'NOT_PERMITTED' });
}

/** The first change: staging is closed by its own worker, as passed, with a fresh verdict, or nothing is changed. */
async function closedBefore(index: number): Promise<void> {
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
  const forged: [string, Partial<ClosingStatement>, string?][] = [
    ['not signed by its worker', {}, 'control'],
    ['not signed by its worker', {}, 'production'],
    ['names no key of the worker of later', { environment: 'later' }],
    ['is about another deployment', { deployment: 'earlier' }],
    ['is about another plan', { plan: 'f'.repeat(64) }],
    ['is about another list', { list: 'f'.repeat(64) }],
    ['is about another commit', { commit: 'f'.repeat(40) }],
    ['its statement is about something else', { says: 'soak-passed' as never }],
    ['it was closed as restored', { outcome: 'restored' }],
    ['it was closed as stuck', { outcome: 'stuck' }],
    ['more than an hour ago', { judgedAt: hoursAgo(2) }],
    ['never', { judgedAt: null }],
    ['more than an hour ago', { judgedAt: 'soon' }],
  ];
  const before = await judge(kit.cast.database);
  earlier = undefined;
  expect(await step(index)).toMatchObject({
    refused: 'NOT_PERMITTED',
    message: expect.stringContaining('its worker has not signed that it is closed'),
  });
  for (const [why, change, key] of forged) {
    earlier = await kit.closing(permit, change, key);
    expect(await step(index), JSON.stringify(change)).toMatchObject({
      refused: 'NOT_PERMITTED',
      message: expect.stringContaining(why),
    });
  }
  expect(await judge(kit.cast.database)).toEqual(before);
  earlier = await kit.closing(permit, { judgedAt: hoursAgo(0.9) });
}

test('steps run in their order only, and a later one never first', { timeout: 300_000 }, async () => {
  const { steps } = run.list;
  for (const { index, name, kind } of steps) {
    if (kind === 'backup' || kind === 'migrate' || index === steps.length - 1) {
      const before = await judge(kit.cast.database);
      for (const other of steps.filter(({ index: at }) => at > index || at < index - 1))
        expect(await step(other.index), `${other.name} where ${name} is next`).toMatchObject({
          refused: 'NOT_PERMITTED',
        });
      await closesAsNothing();
      expect(await judge(kit.cast.database)).toEqual(before);
    }
    if (kind === 'fixData') await closedBefore(index);
    expect(await step(index), name).toMatchObject({ done: { verdict: 'pass' } });
  }
});

test('a soak that is said to have passed goes on', async () => {
  const said = { ...newSoak(), passed: true, startedAt: 1, cleanSince: 1 };
  const input = { rollout: run.rollout, phase: 'watch', sliceMs: 200, state: said };
  const read = await kit.schedule('observe', input, ROLLOUT, observeQueue('production'));
  expect(read).toMatchObject({ done: { verdict: null, state: { passed: false } } });
  expect((read.done as { state: { startedAt: number } }).state.startedAt).toBeGreaterThan(1_000_000);
  await closesAsNothing();
});

test('a forward fix, and undos out of their order', async () => {
  const before = await judge(kit.cast.database);
  const migrate = run.list.steps.find(({ kind }) => kind === 'migrate')!;
  for (const fallback of [...Object.keys(run.list.fallbacks), 'none'])
    expect(await ask('forwardFix', { rollout: run.rollout, step: migrate, fallback })).toMatchObject({
      refused: 'NOT_PERMITTED',
    });
  // The old code knows nothing of the new constraints: the schema goes first, everything else behind it.
  for (const one of run.list.steps.toReversed())
    for (const undo of allowedUndos(one, run.list).filter((each) => each !== 'downgrade'))
      expect(await ask(undo, { rollout: run.rollout, step: one }), undo).toMatchObject({
        refused: 'NOT_PERMITTED',
      });
  expect(await judge(kit.cast.database)).toEqual(before);
});

test('undone it is by nobody, as after a cancel: whole, in order, and nothing goes forward again', async () => {
  let undone = 0;
  for (let tries = 0; tries < run.list.steps.length; tries += 1)
    for (const one of run.list.steps) {
      const undo = one.undo?.undo;
      if (!undo) continue;
      const came = await ask(undo, { rollout: run.rollout, step: one });
      if ('done' in came) undone += 1;
      if (undone > 0) expect(await step(one.index)).toMatchObject({ refused: 'NOT_PERMITTED' });
    }
  expect(undone).toBeGreaterThan(1);
  await closesAsNothing();
  const compared = await ask('compareRollback', { rollout: run.rollout, ran: [] });
  expect(compared).toMatchObject({ done: { equal: true } });
  await closesAsNothing(['restored', 'failed']);
  const closed = (await close('restored')).done as SignedStatement<ClosingStatement>;
  expect(closed.body).toMatchObject({ says: 'closed', outcome: 'restored', environment: 'production' });
  expect(verifyStatement(closed, kit.people['production']!.publicText)).toBe(true);
  expect((await close('passed')).done, 'asked again it says the same').toEqual(closed);
});
