// Errors of a real PostgreSQL, by its driver and by psql: the marked value is in each of them, and in none of what goes
// into a history; what finds the row and its reason stays.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withoutRowValues, withoutRowValuesIn } from '../../src/io/row-values.ts';
import { type Bench, query, raiseBench } from '../support/hands.ts';
import { run } from '../support/programs.ts';
import { join } from 'node:path';

let bench: Bench;
let url: string;
beforeAll(async () => {
  bench = await raiseBench();
  url = bench.postgres.url('postgres');
  await query(
    url,
    `create extension if not exists btree_gist; create type mood as enum ('good');
    create table people (id bigint primary key, email text unique, age int check (age > 0), note text not null default 'x',
      born date, at uuid unique, m mood, doc jsonb, span int4range, exclude using gist (email with =, span with &&));
    create table orders (id int, person bigint references people deferrable, email text references people (email));
    insert into people (id, email, age, at) values
      (17, 'Marked(1), "x".', 3, '0b9c1f0e-3d59-4f6b-9a55-0d6f5ee1a111')`,
  );
});
afterAll(() => bench?.stop());

const M = `Marked(1), "x".`;
const CASES: readonly [what: string, sql: string, stays: readonly string[]][] = [
  [
    'check',
    `insert into people (id, age, email) values (1, -1, '${M}')`,
    ['23514', 'people_age_check', 'people'],
  ],
  ['not null', `insert into people (id, email, note) values (1, '${M}', null)`, ['23502', 'note']],
  ['two lines', `insert into people (id, age, email) values (1, -1, E'a).\nMarked')`, ['people_age_check']],
  [
    'unique',
    `insert into people (id, email) values (2, '${M}')`,
    ['23505', 'people_email_key', 'Key (email)=('],
  ],
  ['unique by number', 'insert into people (id, email) values (17, null)', ['Key (id)=(17) already exists']],
  [
    'unique by uuid',
    `insert into people (id, at) values (3, '0b9c1f0e-3d59-4f6b-9a55-0d6f5ee1a111')`,
    ['(0b9c1f0e-3d59-4f6b-9a55-0d6f5ee1a111)'],
  ],
  [
    'foreign',
    `insert into orders (id, email) values (1, 'Marked')`,
    ['23503', 'orders_email_fkey', 'Key (email)=('],
  ],
  [
    'foreign by number',
    'insert into orders (id, person) values (1, 99)',
    ['Key (person)=(99) is not present'],
  ],
  [
    'exclusion',
    `update people set span = '[1,5)'; insert into people (id, email, span) values (5, '${M}', '[2,3)')`,
    [],
  ],
  ['a quote', `select E'1" is.\\n"Marked'::int`, ['type integer']],
  ['number', `select '${M}'::int`, ['22P02', 'type integer']],
  ['date', `select 'Marked'::date`, ['type date']],
  ['date out of range', `select '2026-99-99 Marked'::date`, []],
  ['enum', `select 'Marked'::mood`, ['enum mood']],
  ['json', `select '{"a": Marked}'::jsonb`, ['22P02']],
  ['array', `select 'Marked'::int[]`, ['malformed array literal']],
  ['range', `select 'Marked'::int4range`, ['malformed range literal']],
  ['time zone', `select now() at time zone 'Marked'`, ['time zone', 'not recognized']],
  ['uuid', `select 'Marked'::uuid`, ['type uuid']],
  ['row', `select 'Marked'::people`, ['malformed record literal']],
];

const ofDriver = async (sql: string): Promise<string> => {
  try {
    await query(url, sql);
  } catch (error) {
    const { message, detail, code, constraint, where, column } = error as Record<string, string | undefined>;
    return [message, detail, code, constraint, where, column].join('\n');
  }
  throw new Error('it went through');
};
const ofPsql = async (sql: string): Promise<string> => {
  const argv = [
    '-Xq',
    '-v',
    'ON_ERROR_STOP=1',
    '-v',
    'VERBOSITY=verbose',
    '-v',
    'SHOW_CONTEXT=errors',
    '--dbname',
    url,
  ];
  const { stderr } = await run(join(bench.postgres.bin, 'psql'), argv, { input: `${sql};\n` });
  // Where it stands in the script is the script's text, not a row's.
  return stderr.replaceAll(/^LINE \d+:.*\n.*\^\n?/gmu, '');
};

describe.each([
  ['the driver', ofDriver],
  ['psql', ofPsql],
])('by %s', (_by, of) => {
  test.each(CASES)('%s', async (what, sql, stays) => {
    const said = await of(sql);
    if (sql.includes('Marked')) expect(said, what).toContain('Marked');
    const cut = withoutRowValues(said);
    expect(cut).not.toContain('Marked');
    for (const word of stays) expect(cut).toContain(word);
  });
});

test('COPY names line and column, and no value', async () => {
  const sql = `copy people (id, age) from stdin;\n1\tMarked\n\\.\n`;
  const cut = withoutRowValues(await ofPsql(sql));
  expect(cut).not.toContain('Marked');
  expect(cut).toContain('COPY people, line 1, column age: "•••"');
});

test('what is no error stays as it is, and what is signed stays as it was signed', () => {
  const plain =
    'orders: 17 rows, Key (id) is there; "quoted" (in brackets).\nvalue "x" of time zone Europe/Berlin';
  expect(withoutRowValues(plain)).toBe(plain);
  const text = 'Failing row contains (1, secret).';
  const signed = { body: { text }, signature: 'x' };
  expect(withoutRowValuesIn({ summary: text, details: [text], n: 1, none: null, statement: signed })).toEqual(
    {
      summary: 'Failing row contains (•••).',
      details: ['Failing row contains (•••).'],
      n: 1,
      none: null,
      statement: signed,
    },
  );
});

test('a megabyte of beginnings is read in a moment', () => {
  for (const word of [
    'Failing row contains (',
    'Key (a)=(',
    'invalid input syntax for type x: "',
    'COPY a, line 1: "',
  ]) {
    const began = performance.now();
    withoutRowValues(word.repeat(1_000_000 / word.length));
    expect(performance.now() - began, word).toBeLessThan(2_000);
  }
});
