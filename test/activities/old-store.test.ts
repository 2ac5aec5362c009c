// A permit store that is behind: no step goes forward by it, also in the middle of a rollout; what is undone is undone.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { refuseOtherPlace } from '../../activities/permit/own-place.ts';
import { BACKUP, type Bench, DATA, MIGRATE, permit, raiseBench } from '../support/hands.ts';
import { judge } from '../support/judge.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await raiseBench();
});
afterAll(() => bench?.stop());

test('no permit is taken and no step is run by it; put back, both are', async () => {
  const hands = await permit(bench, { steps: `${BACKUP}${DATA}${MIGRATE}` });
  await hands.run('backup');
  await hands.run('data: fix');
  const before = await judge(hands.url);
  const { counter } = hands.world;
  const behind = { ...counter, fault: async () => 'it is an older copy: it has seen 1 of 3 changes' };
  Object.assign(hands.world, { counter: behind });
  const refused = { code: 'PERMIT_STORE_BEHIND' };
  await expect(hands.run('migrate')).rejects.toThrow('PERMIT_STORE_BEHIND');
  await expect(refuseOtherPlace(hands.world)).rejects.toMatchObject(refused);
  expect(await judge(hands.url)).toEqual(before);
  expect(await hands.undo('data: fix')).toMatchObject({ done: true });
  Object.assign(hands.world, { counter });
  await refuseOtherPlace(hands.world);
  expect(await hands.run('data: fix', { attempt: 2 })).toMatchObject({ verdict: 'pass' });
});
