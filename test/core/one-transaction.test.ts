// What keeps a SQL file from being one transaction, and what only looks like it.
import { describe, expect, test } from 'vitest';
import { notInOneTransaction } from '../../src/core/one-transaction.ts';

describe('stands in the way', () => {
  test.each([
    ['BEGIN;\ncreate table a ();\nCOMMIT;', ['line 1: BEGIN', 'line 3: COMMIT']],
    ['select 1;\n/* ; */ start transaction; select 2', ['line 2: START']],
    ['end', ['line 1: END']],
    ['abort; rollback work; rollback and chain', ['line 1: ABORT', 'line 1: ROLLBACK', 'line 1: ROLLBACK']],
    ["prepare transaction 'x'", ['line 1: PREPARE']],
    ['\\! rm -rf /', ['line 1: \\!, a command of psql']],
    ['select 1;\n  \\connect other', ['line 2: \\connect, a command of psql']],
    ['select 1 \\g out.txt', ['line 1: \\g, a command of psql']],
    [
      'create unique index concurrently if not exists i on t (a)',
      ['line 1: CONCURRENTLY, which PostgreSQL runs outside transactions only'],
    ],
    ['drop index concurrently i', ['line 1: CONCURRENTLY, which PostgreSQL runs outside transactions only']],
    ['vacuum full t', ['line 1: VACUUM, which PostgreSQL runs outside transactions only']],
    ['alter system set a = 1', ['line 1: ALTER SYSTEM, which PostgreSQL runs outside transactions only']],
    ['discard all', ['line 1: DISCARD ALL, which PostgreSQL runs outside transactions only']],
    ['create function f() returns int begin atomic select 1; end; commit', ['line 1: COMMIT']],
    [
      '-- migrate:up\ncreate table a ();\n-- migrate:down\ndrop table a',
      [
        'line 1: a section of dbmate (-- migrate:up): the whole file would run, its way down as well; put the ' +
          'way down into NAME.down.sql',
      ],
    ],
    ['select 1;\n  -- +goose Down\nselect 2', [expect.stringMatching(/^line 2: a section of goose/u)]],
    ['--+migrate up', [expect.stringMatching(/^line 1: a section of sql-migrate/u)]],
  ])('%j', (text, found) => expect(notInOneTransaction(text)).toEqual(found));
});

describe('does not', () => {
  test.each([
    '',
    "select '\n not -- migrate:up'; -- we migrate:up later",
    '-- commit;\n/* begin; /* commit */ */ select 1',
    "select 'commit; begin'; select $$ begin; commit; $$; select $a$ end; $a$",
    'create function f() returns void language plpgsql as $$ begin perform 1; end; $$',
    'create function f() returns int begin atomic select 1; select 2; end; select 3',
    'do $$ begin perform 1; end $$;',
    'savepoint a; rollback to savepoint a; release a; rollback to a',
    'prepare p as select 1',
    'create table "begin" (commit int); insert into "begin" (commit) values (1)',
    'refresh materialized view concurrently v',
    '\\echo done\nselect 1',
    'copy t from stdin;\nbegin;\n\\.\nselect 1;',
  ])('%j', (text) => expect(notInOneTransaction(text)).toEqual([]));
});
