// What a comparison sees: each change is one that pg_dump's own text shows, and then the comparison names it; put
// back, it says nothing. The judge is pg_dump and shares no code with the product.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Comparison } from '../../src/core/activities.ts';
import { BACKUP, type Bench, type Hands, MIGRATE, permit, query, raiseBench } from '../support/hands.ts';
import { needsExtensions, said } from '../support/field-case.ts';
import { schemaText } from '../support/judge.ts';
import { beyondDump, changes, GROUND } from './changes.ts';

let bench: Bench;
let hands: Hands;
let before: string;
beforeAll(async () => {
  bench = await raiseBench();
  await query(bench.postgres.url('postgres'), 'create role reader; create role writer');
  hands = await permit(bench, { steps: BACKUP + MIGRATE });
  const [hstore] = await hands.sql("select from pg_available_extensions where name = 'hstore'");
  await hands.sql(hstore ? GROUND : GROUND.replace('create extension hstore schema lab;', ''));
  // Objects of every kind survive the proof, without a word of false alarm.
  expect(await hands.run('backup')).toMatchObject({ verdict: 'pass' });
  before = schemaText(hands.url);
});
afterAll(() => bench?.stop());

const compare = () => hands.call<Comparison>('compareRollback', { rollout: hands.rollout, ran: [] });

describe('a change that pg_dump shows is named', () => {
  test.for(changes)('$name', async ({ change, back }, context) => {
    if (change.includes('extension')) await needsExtensions(context, hands.url, 'create extension hstore');
    await hands.sql(change);
    expect(schemaText(hands.url), 'the judge sees it').not.toBe(before);
    const seen = await compare();
    await hands.sql(back);
    said(context, seen.differences[0] ?? 'nothing');
    expect(seen).toMatchObject({ equal: false });
    expect(seen.differences.length).toBeGreaterThan(0);
  });

  test('and nothing is said when all of it is back', async () => {
    expect(schemaText(hands.url).split('\n').toSorted()).toEqual(before.split('\n').toSorted());
    expect(await compare()).toMatchObject({ equal: true, differences: [], writtenSince: [] });
  });
});

describe('a change that pg_dump leaves out is named, too', () => {
  test.for(beyondDump)('$name', async ({ change, back }, context) => {
    await hands.sql(change);
    const seen = await compare();
    await hands.sql(back);
    const lines = [...seen.differences, ...seen.writtenSince];
    said(context, lines[0] ?? 'nothing');
    expect(lines.length).toBeGreaterThan(0);
  });

  test('rows that are gone, beside rows that were written: each by its key and by whom', async (context) => {
    await hands.sql(`insert into lab.ev values (3, '2020-06-06'), (4, '2020-07-07'), (5, '2020-08-08')`);
    await hands.sql("delete from lab.ev where id in (1, 4); update lab.ev set d = '2020-09-09' where id = 3");
    const { writtenSince, differences } = await compare();
    await hands.sql("truncate lab.ev; insert into lab.ev values (1, '2020-05-05'), (2, '2021-05-05')");
    said(context, writtenSince.join('; '));
    expect(differences).toEqual([]);
    expect(writtenSince).toEqual([
      expect.stringMatching(/^lab\.ev_a \(1,2020-05-05\): removed by the application since the backup$/u),
      expect.stringMatching(/^lab\.ev_a \(3,2020-09-09\): added by the application/u),
      expect.stringMatching(/^lab\.ev_a \(5,2020-08-08\): added by the application/u),
    ]);
  });

  test('an invalid index, and the version of an extension', async (context) => {
    await needsExtensions(context, hands.url, 'create extension hstore');
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
