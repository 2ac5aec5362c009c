// Two printings of one expression are the same, and two expressions are not: asked of the real PostgreSQL,
// which prints them.
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { normalise } from '../../src/core/definition.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';

let server: TestPostgres;
let client: pg.Client;
beforeAll(async () => {
  server = await startPostgres();
  client = new pg.Client({ connectionString: server.url('postgres') });
  await client.connect();
  await client.query('create table t (a int, b int, c int, s varchar(10), u char(3), v text)');
}, 60_000);
afterAll(async () => {
  await client.end();
  await server.stop();
});

/** As PostgreSQL prints this condition, and as it prints what it has printed. */
async function printed(condition: string): Promise<readonly [string, string]> {
  const define = async (constraint: string) => {
    await client.query(`alter table t add constraint k ${constraint}`);
    const { rows } = await client.query<{ def: string }>(
      "select pg_get_constraintdef(oid) as def from pg_constraint where conname = 'k'",
    );
    await client.query('alter table t drop constraint k');
    return rows[0]!.def;
  };
  const first = await define(`check (${condition})`);
  return [first, await define(first)];
}

describe('definitions', () => {
  test.each([
    "s in ('x', 'y')",
    "u in ('x', 'y') and s not in ('p(q', 'r')",
    "s || v = 'a' || u",
    "lower(s) = 'x' or upper(v || s) <> 'y'",
    "s like 'a%' and v ~ '^[(]b'",
    "coalesce(s, v, 'none') in ('none', 'x')",
    'a between 1 and 10 and (b > 0 or c is null)',
    '(a, b) < (b, c)',
    "case when s = 'x' then a > 0 else b > -1 end",
    "s = any (array['x', 'y']::text[])",
  ])('%s: what PostgreSQL prints of its own printing says the same', async (condition) => {
    const [first, second] = await printed(condition);
    expect(normalise(second)).toBe(normalise(first));
  });

  test.each([
    `select x.a, sum(y.b) filter (where y.s in ('p', 'q')) as n from t x left join t y
      on x.a = y.b and (y.v = 'z' or y.c between 1 and 3) group by x.a having count(*) > 1`,
    `with w as (select s || v as sv from t where u = 'a') select case sv
      when 'x' then 1 else -1 end as k from w where exists (select from t where s = sv)`,
    "select a from t where s like any (array['x%', 'y%']) union select b from t where (a, b) in " +
      '(select 1, 2) and not (a = 1 and b = 2 or c = 3)',
    `select coalesce(nullif(s, ''), v)::varchar(20) as n, row_number() over (partition by u
      order by (a + b) * c desc) from t, lateral (select a * -2 as z) l where l.z between a - 1
      and (b + 1) * 2`,
  ])('the view %s, too', async (query) => {
    const define = async (text: string) => {
      await client.query(`create view d as ${text}`);
      const { rows } = await client.query<{ def: string }>("select pg_get_viewdef('d'::regclass) as def");
      await client.query('drop view d');
      return rows[0]!.def;
    };
    const first = await define(query);
    expect(normalise(await define(first))).toBe(normalise(first));
  });

  test.each([
    ['(a > 1 and b > 1) or c > 1', 'a > 1 and (b > 1 or c > 1)'],
    ['a - (b - c) > 0', '(a - b) - c > 0'],
    ['not (a > 1 and b > 1)', 'not (a > 1) and b > 1'],
    ["s in ('x', 'y')", "s in ('x', 'z')"],
    ['abs(a) > 1', 'a > 1'],
    ["s = 'x'", "s = ' x'"],
  ])('%s | %s are two', async (one, other) => {
    expect(normalise((await printed(one))[0])).not.toBe(normalise((await printed(other))[0]));
  });

  test('a group that is no operand of the list around it stays, however it is printed', () => {
    expect(normalise('(x AND NOT (y AND z))')).not.toBe(normalise('(x AND NOT y AND z)'));
    expect(normalise('((x AND y) IS TRUE AND z)')).not.toBe(normalise('(x AND y IS TRUE AND z)'));
    expect(normalise('((x AND y) AND z)')).toBe(normalise('(x AND (y AND z))'));
  });

  test(
    'any condition: read back it is the same, and a differently grouped one is the same only if ' +
      'PostgreSQL says so',
    { timeout: 120_000 },
    async () => {
      const leaf = fc.constantFrom(
        "s = 'x'",
        "v || s <> '('",
        "s in ('p', 'q')",
        'a > b',
        'a + b > c',
        'b is null',
        "lower(u) = ')'",
      );
      const { condition } = fc.letrec<{ condition: string }>((tie) => ({
        condition: fc.oneof(
          { depthSize: 'medium', withCrossShrink: true },
          leaf,
          fc
            .tuple(tie('condition'), fc.constantFrom('and', 'or'), tie('condition'))
            .map(([left, word, right]) => `(${left}) ${word} (${right})`),
          tie('condition').map((inner) => `not (${inner})`),
        ),
      }));
      await fc.assert(
        fc.asyncProperty(condition, condition, async (one, other) => {
          const [first, again] = await printed(one);
          expect(normalise(again)).toBe(normalise(first));
          const [another] = await printed(other);
          expect(normalise(another) === normalise(first)).toBe(another === first);
        }),
        { numRuns: 150 },
      );
    },
  );
});
