// Random schema × random change × random undo: the comparison sees a difference exactly when pg_dump's text or a row
// does. SOAKGATE_FIELD_PAIRS sets how many pairs are tried (`npm run test:field` tries 2,000), SOAKGATE_FIELD_SEED where
// they begin.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Comparison } from '../../src/core/activities.ts';
import { BACKUP, type Bench, MIGRATE, permit, query, raiseBench } from '../support/hands.ts';
import { judge, type Judged, unequal } from '../support/judge.ts';
import { randomChange, randomFrom, randomSchema } from './random-schema.ts';

const PAIRS = Number(process.env['SOAKGATE_FIELD_PAIRS'] ?? 24);
const SEED = Number(process.env['SOAKGATE_FIELD_SEED'] ?? 20_261_130);
const OF_A_SCHEMA = 12;

let bench: Bench;
beforeAll(async () => {
  bench = await raiseBench();
  await query(bench.postgres.url('postgres'), 'create role reader; create role writer');
});
afterAll(() => bench?.stop());

/** In which order pg_dump writes the lines of a set of grants is nothing that a database has. */
const judged = async (url: string): Promise<Judged> => {
  const { schema, ...rows } = await judge(url);
  return { ...rows, schema: schema!.split('\n').toSorted().join('\n') };
};

test(`${PAIRS} pairs`, { timeout: 60_000 + PAIRS * 10_000 }, async () => {
  const counted = { equal: 0, different: 0 };
  for (let done = 0; done < PAIRS; done += OF_A_SCHEMA) {
    const random = randomFrom(SEED + done);
    const hands = await permit(bench, { steps: BACKUP + MIGRATE });
    const { sql, tables } = randomSchema(random);
    await hands.sql(sql);
    const before = await judged(hands.url);
    expect(await hands.run('backup'), sql).toMatchObject({ verdict: 'pass' });
    const name = new URL(hands.url).pathname.slice(1);
    const elsewhere = bench.postgres.url('postgres');
    await query(elsewhere, `alter database ${name} rename to ${name}_first`);
    for (let pair = 0; pair < OF_A_SCHEMA && done + pair < PAIRS; pair += 1) {
      await query(elsewhere, `create database ${name} template ${name}_first`);
      const ran: string[] = [];
      const attempt = (text: string) =>
        hands.sql(text).then(
          () => ran.push(text),
          () => undefined,
        );
      const changes = Array.from({ length: 1 + random.below(3) }, () => randomChange(random, tables));
      for (const { change } of changes) await attempt(change);
      for (const { back } of changes.toReversed()) if (random.below(4) > 0) await attempt(back);
      const differs = unequal(before, await judged(hands.url));
      const seen = await hands.call<Comparison>('compareRollback', { rollout: hands.rollout, ran: [] });
      const said = [...seen.differences, ...seen.writtenSince];
      const told = `seed ${SEED + done}, pair ${pair}:\n${sql};\n-- then\n${ran.join(';\n')}\n-- judge: ${differs.join(', ')}\n-- said: ${said.join('\n')}`;
      expect(said.length > 0, told).toBe(differs.length > 0);
      counted[differs.length > 0 ? 'different' : 'equal'] += 1;
      await query(elsewhere, `drop database ${name} with (force)`);
    }
    await query(elsewhere, `drop database ${name}_first with (force)`);
  }
  console.log(
    `${counted.different} pairs differ and are named, ${counted.equal} are equal and nothing is said`,
  );
  expect(counted.equal * counted.different).toBeGreaterThan(0);
});
