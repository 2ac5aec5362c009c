// The worker's own record of a soak, on its own files: state that is handed in is not believed, an answer that was lost
// is given again, and half a line spoils no other.
import { appendFile, mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { type OwnRecord, ownRecord, type Slice } from '../../activities/frame/own-record.ts';
import { compileSteps } from '../../src/core/compile.ts';
import type { Permit, Signed } from '../../src/core/messages.ts';
import { parsePlan } from '../../src/core/plan/parse.ts';
import type { Plan } from '../../src/core/plan/plan.ts';
import type { Receipt, UndoReceipt } from '../../src/core/receipts.ts';
import { type Breach, newSoak, type ObserveResult, type SoakState } from '../../src/core/soak.ts';
import { sha256 } from '../../src/io/files.ts';
import { openPermitStore, type PermittedRollout, type PermitStore } from '../../src/io/permit-store.ts';
import { storyPlan } from '../support/story-plan.ts';
import { here } from '../support/signing.ts';

const { plan } = parsePlan(storyPlan(), 'soakgate.yaml') as { plan: Plan };
const compiled = compileSteps({
  plan,
  environment: 'staging',
  commit: 'c'.repeat(40),
  files: {},
  pace: null,
});
const list = { ...compiled, fallbacks: { ...compiled.fallbacks, add: { forward: '0003_more' } } };
const rollout = {
  deployment: 'd',
  service: 'shop',
  environment: 'staging',
  list: '',
  hash: sha256('d/staging').slice(0, 10),
};
const kept: PermittedRollout = { rollout, list, permit: {} as Permit };
const paid: Breach = { monitor: 'shop', metric: 'paid', is: 'alert', text: 'paid is 12 %', lastedMs: 0 };

let folder: string;
let store: PermitStore;
let record: OwnRecord;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sg-record-'));
  store = openPermitStore(folder);
  record = ownRecord(store);
  await store.keepRollout(kept);
  for (const step of list.steps) {
    await record.beginStep(kept, step, 'one');
    await record.endStep(kept, step, 'one', receipt('pass'));
  }
});

const receipt = (verdict: Receipt['verdict']): Receipt => ({
  step: '',
  kind: 'any',
  verdict,
  summary: '',
  startedAt: '',
  tookMs: 0,
});
const undone = (undo: string): UndoReceipt => ({
  undo,
  step: 'migrate',
  done: true,
  summary: '',
  differences: [],
  tookMs: 0,
});
const input = (state: SoakState = newSoak(), asking = false) => ({
  rollout,
  phase: 'soak' as const,
  sliceMs: 1,
  state,
  ...(asking && { asking: true as const }),
});
const result = (state: SoakState, more: Partial<ObserveResult> = {}): ObserveResult => ({
  state,
  breaches: [],
  metrics: 1,
  summary: [],
  verdict: null,
  ...more,
});
const stateOf = (slice: Slice): SoakState => {
  if (!('state' in slice)) throw new Error(`an answer at once: ${JSON.stringify(slice.answer)}`);
  return slice.state;
};
const decided = (word: string, nonce: string): Signed => ({
  message: 'decide',
  person: 'dan',
  body: { deployment: 'd', environment: 'staging', ...here(), nonce, expires: '', decision: word },
  signature: '',
});

test('goes on from what it wrote, whatever is handed in; longer is the only thing it can be made', async () => {
  const began = stateOf(await record.beginSlice(kept, input({ ...newSoak(), passed: true, startedAt: 1 })));
  expect(began).toEqual(newSoak());
  await record.endSlice(kept, input(), result({ ...began, startedAt: 77, addedMs: 5 }), 0);
  const forged = { ...newSoak(), startedAt: 1, acknowledged: ['shop/paid'], extendedMs: 60_000, addedMs: -9 };
  const next = stateOf(await record.beginSlice(kept, input(forged)));
  expect(next).toEqual({ ...newSoak(), startedAt: 77, addedMs: 5, extendedMs: 60_000 });
  await record.endSlice(kept, input(), result(next), 0);
  expect(stateOf(await record.beginSlice(kept, input())).extendedMs).toBe(60_000);
  for (const extendedMs of [-1, Number.NaN, 'x' as never])
    expect(stateOf(await record.beginSlice(kept, input({ ...newSoak(), extendedMs }))).extendedMs).toBe(
      60_000,
    );
});

test('a breach is answered by somebody, or it is handed back again, also where its answer was lost', async () => {
  await record.endSlice(kept, input(), result(newSoak(), { breaches: [paid] }), 0);
  const lost = await record.beginSlice(kept, input());
  expect(lost).toMatchObject({
    answer: { breaches: [{ ...paid, lastedMs: expect.any(Number) }], verdict: null },
  });
  // While people are asked, it is measured on.
  expect(stateOf(await record.beginSlice(kept, input(newSoak(), true))).acknowledged).toEqual(['shop/paid']);
  await expect(record.end(kept, 'passed')).rejects.toThrow('has not ended as passed');
  await record.signed('d', 'staging', decided('fixed-manually', 'no option'));
  expect(await record.beginSlice(kept, input())).toHaveProperty('answer');
  await record.signed('d', 'staging', decided('continue', '1'));
  expect(stateOf(await record.beginSlice(kept, input())).acknowledged).toEqual(['shop/paid']);
  // The same signature again answers nothing.
  await record.endSlice(kept, input(), result(newSoak(), { breaches: [paid] }), 0);
  await record.signed('d', 'staging', decided('continue', '1'));
  expect(await record.beginSlice(kept, input())).toHaveProperty('answer');
});

test('a soak that has passed says so again where that was lost; a breach behind it takes it back', async () => {
  await expect(record.end(kept, 'passed')).rejects.toThrow('has not ended as passed');
  await record.endSlice(kept, input(), result(newSoak(), { verdict: 'passed' }), 0);
  expect(await record.beginSlice(kept, input())).toMatchObject({
    answer: { verdict: 'passed', breaches: [] },
  });
  const on = stateOf(await record.beginSlice(kept, input({ ...newSoak(), passed: true })));
  expect(await record.end(kept, 'passed')).toBe('passed');
  await record.endSlice(kept, input(), result({ ...on, cleanSince: 5 }, { breaches: [paid] }), 0);
  await expect(record.end(kept, 'passed')).rejects.toThrow('has not ended as passed');
  await record.signed('d', 'staging', decided('continue', '1'));
  expect(stateOf(await record.beginSlice(kept, input()))).toMatchObject({ passed: false, cleanSince: null });
  await expect(record.end(kept, 'passed'), 'not until it has passed again').rejects.toThrow('not ended');
});

test('after a forward fix it is another schema that is observed', async () => {
  const state = { ...newSoak({ 'shop/paid': 1 }), startedAt: 5, bytes: 90 };
  await record.endSlice(kept, input(), result(state, { breaches: [paid] }), 0);
  const fix = { fallback: 'add', call: '1' };
  const migrate = list.steps.find(({ kind }) => kind === 'migrate')!;
  await expect(record.beginForward(kept, migrate, fix), 'nobody has chosen it').rejects.toThrow('add');
  const asking = { ...list, matrix: [{ when: 'rest', ask: ['add'], severity: 'high' }] as never };
  const asked = { ...kept, list: asking };
  await store.addToLedger(rollout, {
    is: 'signed',
    message: 'decide',
    word: 'add',
    nonce: '9',
    signedAt: Date.now(),
  });
  await record.beginForward(asked, migrate, fix);
  await record.endForward(asked, fix, receipt('pass'));
  expect(stateOf(await record.beginSlice(asked, input()))).toEqual({
    ...newSoak({ 'shop/paid': 1 }),
    bytes: 90,
  });
});

test('half a line, cut off by a full disk, spoils none before or behind it', async () => {
  const file = join(folder, 'rollouts', rollout.hash, 'ledger.jsonl');
  const before = (await store.ledger(rollout)).length;
  await appendFile(file, '\n{"is":"ended","index":3,"attem');
  await record.compared(kept, true);
  const entries = await store.ledger(rollout);
  expect(entries).toHaveLength(before + 1);
  expect(entries.at(-1)).toMatchObject({ is: 'compared', equal: true, at: expect.any(Number) });
  expect(await readFile(file, 'utf8')).toContain('attem');
});

test('what is signed is written down for a rollout that was opened here and is not closed', async () => {
  const before = (await store.ledger(rollout)).length;
  await record.signed('another', 'staging', decided('stop', '1'));
  await record.signed('d', 'staging', { ...decided('stop', '2'), message: 'pause' });
  expect(await store.ledger(rollout)).toHaveLength(before);
  await record.signed('d', 'staging', decided('leave-as-is', '3'));
  expect(await record.end(kept, 'stuck')).toBe('stuck');
  await store.close(rollout, 'stuck');
  await record.signed('d', 'staging', decided('stop', '4'));
  expect(await store.ledger(rollout)).toHaveLength(before + 1);
});

const message = (
  kind: 'decide' | 'rollback' | 'abort',
  body: Record<string, string>,
  nonce: string,
): Signed => ({
  message: kind,
  person: 'dan',
  body: { deployment: 'd', environment: 'staging', ...here(), nonce, expires: '', ...body },
  signature: '',
});
const migrate = list.steps.find(({ kind }) => kind === 'migrate')!;

test('a slice that began before a forward fix says nothing about the schema behind it', async () => {
  await record.endSlice(kept, input(), result({ ...newSoak(), startedAt: 5 }), 0);
  await record.signed('d', 'staging', decided('add', '1'));
  const fix = { fallback: 'add', call: '1' };
  await record.beginForward(kept, migrate, fix);
  await record.endForward(kept, fix, receipt('pass'));
  await record.endSlice(kept, input(), result({ ...newSoak(), startedAt: 5 }, { verdict: 'passed' }), 0);
  expect(await record.beginSlice(kept, input())).toMatchObject({ state: { startedAt: null }, schema: 1 });
  await expect(record.end(kept, 'passed')).rejects.toThrow('not ended as passed');
});

test('a forward fix is one call, however often it is attempted; another call needs another reason', async () => {
  await record.signed('d', 'staging', decided('add', '1'));
  const fix = { fallback: 'add', call: '1' };
  await record.beginForward(kept, migrate, fix);
  await record.endForward(kept, fix, null);
  await record.beginForward(kept, migrate, fix);
  await record.endForward(kept, fix, receipt('pass'));
  await record.beginForward(kept, migrate, fix);
  await expect(record.beginForward(kept, migrate, { ...fix, call: '2' })).rejects.toThrow('asks for add');
  // One undo for it, and then the next one in order.
  expect(await record.beginUndo(kept, migrate, 'undoForward', { fallback: 'another' })).toEqual({
    fallback: 'add',
  });
  await record.endUndo(kept, migrate, 'undoForward', undone('undoForward'));
  expect(await record.beginUndo(kept, migrate, 'downgrade', { to: 'elsewhere' })).toEqual({ to: 'recorded' });
});

test('a breach is not answered by a forward fix that failed', async () => {
  await record.endSlice(kept, input(), result(newSoak(), { breaches: [paid] }), 0);
  await record.signed('d', 'staging', decided('add', '1'));
  const fix = { fallback: 'add', call: '1' };
  await record.beginForward(kept, migrate, fix);
  await record.endForward(kept, fix, receipt('fail'));
  expect(await record.beginSlice(kept, input())).toMatchObject({
    answer: { breaches: [{ metric: 'paid' }] },
  });
});

test('an abort names no fallback, and to stop is not to leave it as it is', async () => {
  const restoring = {
    ...kept,
    list: { ...list, fallbacks: { ...list.fallbacks, old: { restore: { loses: 'writes-since-backup' } } } },
  } as PermittedRollout;
  const backup = list.steps.find(({ kind }) => kind === 'backup')!;
  await record.signed('d', 'staging', message('abort', { fallback: 'old' }, '1'));
  await record.signed('d', 'staging', decided('stop', '2'));
  await expect(record.beginUndo(restoring, backup, 'restore', {})).rejects.toThrow('comes first');
  await expect(record.end(restoring, 'stuck')).rejects.toThrow('not ended as stuck');
  await record.signed('d', 'staging', message('rollback', { fallback: 'old' }, '3'));
  expect(await record.beginUndo(restoring, backup, 'restore', {})).toEqual({});
});

test('what serves is put back though its step never began: the rollback itself may have shut it', async () => {
  const fresh: PermittedRollout = {
    ...kept,
    rollout: { ...rollout, hash: sha256('e/staging').slice(0, 10) },
  };
  await store.keepRollout(fresh);
  const [release, pending] = list.steps;
  for (const step of [release!, pending!]) {
    await record.beginStep(fresh, step, 'one');
    await record.endStep(fresh, step, 'one', receipt('pass'));
  }
  const named = (kind: string) => list.steps.find((step) => step.kind === kind)!;
  expect(await record.beginUndo(fresh, named('fixData'), 'undoFix', {}), 'nothing is there').toBeNull();
  const restart = named('restart');
  await expect(record.beginUndo(fresh, restart, 'revertRestart', {})).rejects.toThrow('no rollback of this');
  await record.compared(fresh, true);
  expect(await record.end(fresh, 'failed')).toMatch(/failed|restored/u);
});
