// SQL fragments of a plan, read with PostgreSQL's own grammar.
import { describe, expect, test } from 'vitest';
import {
  assignedColumns,
  assignmentsProblem,
  calledFunctions,
  expressionProblem,
  selectProblem,
} from '../../src/io/sql-grammar.ts';

describe('an expression', () => {
  test.each([
    'total_cents < 0',
    "status = 'unknown' -- the import lost it",
    '/* why */ qty = 0',
    'exists (select from orders o where o.id = order_id for update)',
    "a ~ ';' or b = $$)$$",
    '(a, b) in (values (1, 2))',
  ])('%s', (text) => expect(expressionProblem(text)).toBeNull());

  test.each([
    ['', 'it is empty'],
    ['-- nothing', 'it is empty'],
    ['a = 1) or (b = 2', 'syntax error at or near ")"'],
    ['a = 1; drop table orders', 'it is 2 statements'],
    ['a = 1, b = 2', 'it is 2 expressions, separated by commas'],
    ['a = 1 as ok', 'it names its result with "as"'],
    ['a = 1 from orders', 'it has a FROM clause'],
    ['a = 1 where true', 'it has a WHERE clause'],
    ['a = 1 union select true', 'it has larg, rarg'],
    ['a = 1 limit 1', 'it has LIMIT'],
    ['distinct a', 'it has DISTINCT'],
    ['a = 1 /* not closed', 'unterminated /* comment'],
    ["a = 'not closed", 'unterminated quoted string'],
    ['a = 1 into b', 'it has INTO'],
    ['a = 1 for update', 'it has FOR UPDATE or FOR SHARE'],
  ])('%s is none: %s', (text, why) => expect(expressionProblem(text)).toContain(why));
});

test('nesting without end is refused, and the next text is read', () => {
  expect(expressionProblem('('.repeat(200_000))).toContain('memory exhausted');
  expect(expressionProblem('1 = 1')).toBeNull();
});

describe('assignments', () => {
  test.each(['qty = 1', "qty = 1, sku = 'none' -- lost", '(a, b) = (1, 2)', 'qty = default'])('%s', (text) =>
    expect(assignmentsProblem(text)).toBeNull(),
  );
  test.each([
    ['qty = 1 where id = 1', 'it has a WHERE clause'],
    ['qty = 1 from customers', 'it has a FROM clause'],
    ['qty = 1 returning id', 'it has RETURNING'],
    ['qty = 1; delete from orders', 'it is 2 statements'],
    ['qty', 'syntax error'],
    ['', 'syntax error'],
  ])('%s are none: %s', (text, why) => expect(assignmentsProblem(text)).toContain(why));
});

describe('one SELECT that writes nothing', () => {
  test.each(['select 1', 'with a as (select 1) select * from a;', 'values (1)', 'table orders'])(
    '%s',
    (text) => expect(selectProblem(text)).toBeNull(),
  );
  test.each([
    ['commit; delete from payments; select 1 where false', 'it is 3 statements'],
    ['delete from payments', 'it is no SELECT'],
    ['with gone as (delete from payments returning 1) select * from gone', 'it deletes'],
    ['select 1 into copy', 'it makes a table (INTO)'],
    ['select id from orders for update', 'it locks rows'],
    ['', 'it is empty'],
    ['-- nothing', 'it is empty'],
    ['do $$ begin end $$', 'it is no SELECT'],
  ])('%s is none: %s', (text, why) => expect(selectProblem(text)).toContain(why));
});

test('the functions that a statement calls', () => {
  expect(
    calledFunctions(
      "select pg_catalog.set_config('a', 'b', false), count(*) from lo_import('x') where NextVal('s') > 0",
    ),
  ).toEqual(['set_config', 'count', 'lo_import', 'nextval']);
});

describe('functions that no read-only transaction holds', () => {
  test.each([
    'lo_unlink(1)',
    'pg_catalog.pg_terminate_backend(1)',
    "query_to_xml('select lo_unlink(1)', true, true, '') is not null",
    "exists (select from dblink('', 'select 1') as t (a int))",
    'pg_advisory_xact_lock(1) is null',
    "cursor_to_xml('c', 1, true, true, '') is null",
    "(select nextval('s')) > 0",
  ])('%s: neither rule nor fix nor query may call it', (text) => {
    expect(expressionProblem(text)).toMatch(/^it calls \w+: a check, a monitor or a rule may not/u);
    expect(selectProblem(`select ${text}`)).toMatch(/^it calls /u);
    expect(assignmentsProblem(`a = ${text.startsWith('exists') ? `(${text})` : text}`)).toMatch(
      /^it calls /u,
    );
  });
  test.each(['lower(v) = v', "lo_get(1) = ''", 'pg_size_pretty(1::bigint) is null', 'now() > a'])(
    '%s may be called',
    (text) => expect(expressionProblem(text)).toBeNull(),
  );
});

describe('columns that a text assigns', () => {
  test.each([
    ['update a set v = 1, (w, x) = (2, 3); update biz.b set y = 1 from a', ['v', 'w', 'x', 'y']],
    ['with u as (update a set v = 1 returning 1) select * from u', ['v']],
    ['insert into a values (1) on conflict (id) do update set v = 2', ['v']],
    ['merge into a using b on a.id = b.id when matched then update set v = 1', ['v']],
    ['alter table a rename column v to w; alter table a rename to b', ['v', 'w']],
    ['alter table a drop column v; insert into a values (1); delete from a', []],
  ])('%s', (text, wanted) => expect(assignedColumns(text)).toEqual(wanted));
  test.each(['do $$ begin update a set v = 1; end $$', 'call f()', '\\i other.sql'])(
    '%s does not tell',
    (text) => expect(assignedColumns(text)).toBeNull(),
  );
});
