// `backup.keep`: a dump goes when its time is over and its rollout is closed; the newest proven one stays,
// and so does what is open.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROOF_NOTE } from '../../activities/frame/under-lock.ts';
import type { RolloutRef } from '../../src/core/ids.ts';
import type { Receipt } from '../../src/core/receipts.ts';
import { sha256 } from '../../src/io/files.ts';
import { BACKUP, type Bench, type Hands, MIGRATE, permit, raiseBench } from '../support/hands.ts';

let bench: Bench;
beforeAll(async () => void (bench = await raiseBench()));
afterAll(() => bench?.stop());

const DAY_MS = 86_400_000;

/** Another rollout of the same service in the same environment, with a backup of its own. */
async function backedUp(hands: Hands, deployment: string): Promise<RolloutRef> {
  const rollout = { ...hands.rollout, deployment, hash: sha256(`${deployment}/here`).slice(0, 10) };
  await hands.world.permitStore.keepRollout({ rollout, permit: {} as never, list: hands.list });
  await hands.call('backup', { rollout, step: hands.step('backup') });
  return rollout;
}

/** As if its backup had been proven so many days ago; the plan keeps it for 30. */
async function age(hands: Hands, rollout: RolloutRef, days: number): Promise<void> {
  const note = JSON.parse((await hands.world.permitStore.note(rollout, PROOF_NOTE))!) as { at: string };
  expect(note.at).toMatch(/^\d{4}-\d\d-\d\dT/u);
  await hands.world.permitStore.noteAgain(
    rollout,
    PROOF_NOTE,
    JSON.stringify({ ...note, at: new Date(Date.now() - days * DAY_MS).toISOString() }),
  );
}

const hasDump = (hands: Hands, { hash }: RolloutRef) =>
  existsSync(join(hands.world.settings.artifacts, 'rollouts', hash, 'backup.dump'));
const close = (hands: Hands, rollout: RolloutRef) =>
  hands.call('closeRollout', { rollout, outcome: 'passed' });
async function closing(hands: Hands, { deployment }: RolloutRef): Promise<Receipt | undefined> {
  const lines = await hands.world.artifacts.read(`evidence/${deployment}/logs/here/receipts.jsonl`);
  return lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Receipt)
    .find(({ kind }) => kind === 'removeBackups');
}

test('when a rollout closes, older backups whose time is over are removed, and its receipt says which', async () => {
  const hands = await permit(bench, { steps: BACKUP + MIGRATE });
  const [old, young, open] = [
    await backedUp(hands, 'old'),
    await backedUp(hands, 'young'),
    await backedUp(hands, 'open'),
  ];
  await age(hands, old, 31);
  await age(hands, young, 29);
  await age(hands, open, 40);

  await hands.run('backup');
  const { at } = JSON.parse((await hands.world.permitStore.note(hands.rollout, PROOF_NOTE))!) as {
    at: string;
  };
  expect(Math.abs(Date.now() - Date.parse(at))).toBeLessThan(DAY_MS);
  await hands.world.permitStore.close(old, 'passed');
  await hands.world.permitStore.close(young, 'passed');
  await close(hands, hands.rollout);

  expect([old, young, open, hands.rollout].map((rollout) => hasDump(hands, rollout))).toEqual([
    false,
    true,
    true,
    true,
  ]);
  expect(await closing(hands, hands.rollout)).toMatchObject({
    verdict: 'pass',
    summary: '1 backup removed, older than its plan keeps it',
    details: ['old: 31 days old, kept for 30 days'],
    figures: { removed: 1 },
  });
  // What was recorded of the database stays: only the dump is large, and only the dump holds rows.
  expect(existsSync(join(hands.world.settings.artifacts, 'rollouts', old.hash, 'recorded.json'))).toBe(true);
});

test('the newest proven backup stays whatever its age, and then nothing is said', async () => {
  const hands = await permit(bench, { steps: BACKUP + MIGRATE });
  const [older, newest] = [await backedUp(hands, 'older'), await backedUp(hands, 'newest')];
  await age(hands, older, 29);
  await age(hands, newest, 28);
  await hands.world.permitStore.close(older, 'passed');
  await close(hands, newest);
  await age(hands, older, 400);
  await age(hands, newest, 300);

  // Closed before it was backed up: `newest` is still the newest.
  await close(hands, hands.rollout);
  expect([older, newest].map((rollout) => hasDump(hands, rollout))).toEqual([false, true]);
  expect(await closing(hands, newest)).toBeUndefined();
});
