// What a comparison sees: each change is one that pg_dump's own text shows, and then the comparison names it; put
// back, it says nothing. The judge is pg_dump and shares no code with the product.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Comparison } from '../../src/core/activities.ts';
import { BACKUP, type Bench, type Hands, MIGRATE, permit, query, raiseBench } from '../support/hands.ts';
import { schemaText } from '../support/judge.ts';
import { beyondDump, changes, GROUND } from './changes.ts';

let bench: Bench;
let hands: Hands;
let before: string;
beforeAll(async () => {
  bench = await raiseBench();
  await query(bench.postgres.url('postgres'), 'create role reader; create role writer');
  hands = await permit(bench, { steps: BACKUP + MIGRATE });
  await hands.sql(GROUND);
  // Objects of every kind survive the proof, without a word of false alarm.
  expect(await hands.run('backup')).toMatchObject({ verdict: 'pass' });
  before = schemaText(hands.url);
});
afterAll(() => bench?.stop());

const compare = () => hands.call<Comparison>('compareRollback', { rollout: hands.rollout, ran: [] });

describe('a change that pg_dump shows is named', () => {
  test.each(changes)('$name', async ({ change, back }) => {
    await hands.sql(change);
    expect(schemaText(hands.url), 'the judge sees it').not.toBe(before);
    const seen = await compare();
    await hands.sql(back);
    expect(seen).toMatchObject({ equal: false });
    expect(seen.differences.length).toBeGreaterThan(0);
  });

  test('and nothing is said when all of it is back', async () => {
    expect(schemaText(hands.url).split('\n').toSorted()).toEqual(before.split('\n').toSorted());
    expect(await compare()).toMatchObject({ equal: true, differences: [], writtenSince: [] });
  });
});

describe('a change that pg_dump leaves out is named, too', () => {
  test.each(beyondDump)('$name', async ({ change, back }) => {
    await hands.sql(change);
    const seen = await compare();
    await hands.sql(back);
    expect([...seen.differences, ...seen.writtenSince].length).toBeGreaterThan(0);
  });

  test('an invalid index, and the version of an extension', async () => {
    await hands.sql(
      'alter table lab.mother add column dup int default 1; insert into lab.mother default values',
    );
    await hands.sql('insert into lab.mother default values');
    await expect(hands.sql('create unique index concurrently half on lab.mother (dup)')).rejects.toThrow(
      'half',
    );
    expect((await compare()).differences).toContainEqual(expect.stringContaining('invalid index lab.half'));
    await hands.sql(
      "drop index lab.half; drop extension hstore; create extension hstore schema lab version '1.7'",
    );
    expect((await compare()).differences).toContainEqual(
      expect.stringMatching(/^version of extension hstore differs: was 1\.8, is 1\.7$/u),
    );
  });
});
