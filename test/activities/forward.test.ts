// A forward fix on a real server: added from outside the loaded folder, rehearsed, applied once, reversed by
// its undo.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Receipt, UndoReceipt } from '../../src/core/receipts.ts';
import {
  BACKUP,
  type Bench,
  DATA,
  failureOf,
  type Hands,
  MIGRATE,
  permit,
  raiseBench,
} from '../support/hands.ts';

let bench: Bench;
beforeAll(async () => void (bench = await raiseBench()));
afterAll(() => bench?.stop());

const steps = BACKUP + DATA + MIGRATE;
const fallbacks = ', relax: { forward: 0004_relax_status }, other: { forward: 0005_absent }';
const RELAX = {
  up: 'alter table orders drop constraint orders_status_known;',
  down: `alter table orders add constraint orders_status_known check (status in ('pending', 'paid',
    'shipped', 'cancelled'));`,
};

async function ready({ up, down }: { up: string; down: string }): Promise<Hands> {
  const edit = async (checkout: string) => {
    await mkdir(join(checkout, 'migrations/forward'), { recursive: true });
    await writeFile(join(checkout, 'migrations/forward/0004_relax_status.sql'), up);
    await writeFile(join(checkout, 'migrations/forward/0004_relax_status.down.sql'), down);
  };
  const hands = await permit(bench, { steps, fallbacks, edit });
  for (const step of ['backup', 'data: fix', 'migrate']) await hands.run(step);
  return hands;
}
const forward = (hands: Hands, fallback = 'relax', step = 'migrate') =>
  hands.call<Receipt>('forwardFix', { rollout: hands.rollout, step: hands.step(step), fallback });
const undo = (hands: Hands) =>
  hands.call<UndoReceipt>('undoForward', {
    rollout: hands.rollout,
    step: hands.step('migrate'),
    args: { fallback: 'relax' },
  });
const status = async (hands: Hands) =>
  (await hands.sql("select from pg_constraint where conname = 'orders_status_known'")).length;
const ledger = async (hands: Hands) =>
  (await hands.sql<{ version: string }>('select version from schema_migrations order by 1')).map(
    (row) => row.version,
  );

test(
  'applied once, however often it is asked; its undo puts back exactly that, and then there is nothing ' +
    'left to undo',
  async () => {
    const hands = await ready(RELAX);
    expect(await forward(hands)).toMatchObject({
      step: 'migrate: relax',
      kind: 'forwardFix',
      verdict: 'pass',
      details: expect.arrayContaining([
        expect.stringMatching(/^constraint public\.orders\.orders_status_known is missing/u),
      ]),
    });
    expect(await status(hands)).toBe(0);
    const written = await hands.world.artifacts.read(
      `evidence/${hands.rollout.deployment}/logs/here/receipts.jsonl`,
    );
    expect(JSON.parse(written.trimEnd().split('\n').at(-1)!)).toMatchObject({
      step: 'migrate: relax',
      kind: 'forwardFix',
    });
    expect(await forward(hands)).toMatchObject({
      verdict: 'pass',
      summary: expect.stringContaining('earlier attempt'),
    });
    expect(await ledger(hands)).toContain('0004_relax_status');
    expect(await undo(hands)).toMatchObject({ undo: 'undoForward', done: true });
    expect(await status(hands)).toBe(1);
    expect(await undo(hands)).toMatchObject({ done: true, summary: '0004_relax_status is not applied' });
    expect(await hands.undo('migrate')).toMatchObject({ done: true });
    expect(await ledger(hands)).toEqual(['0001_schema']);
  },
);

test.each<[string, { up: string; down: string }, string]>([
  [
    'T-51: an empty shell is refused',
    { up: 'select 1;', down: 'select 1;' },
    '0004_relax_status changes nothing: it would only be stamped',
  ],
  [
    'one whose way down leaves something is refused',
    { ...RELAX, down: 'select 1;' },
    'its way down does not restore: constraint public.orders.orders_status_known is missing',
  ],
])('%s, and the target is as it was', async (_, files, why) => {
  const hands = await ready(files);
  expect(await forward(hands)).toMatchObject({ verdict: 'fail', details: [expect.stringContaining(why)] });
  expect(await status(hands)).toBe(1);
  expect(await ledger(hands)).not.toContain('0004_relax_status');
});

test(
  'a fallback whose file the release does not have, a word that is no fallback, and another step than ' +
    'migrate',
  async () => {
    const hands = await ready(RELAX);
    expect(await failureOf(forward(hands, 'other'))).toMatchObject({
      code: 'MIGRATION_MISMATCH',
      message: expect.stringContaining('migrations/forward/0005_absent.sql'),
    });
    expect(await failureOf(forward(hands, 'downgrade'))).toMatchObject({ code: 'NOT_PERMITTED' });
    expect(await failureOf(forward(hands, 'relax', 'backup'))).toMatchObject({ code: 'NOT_PERMITTED' });
    expect(await status(hands)).toBe(1);
  },
);
