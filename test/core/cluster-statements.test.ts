// SQL that acts on more than its database.
import { describe, expect, test } from 'vitest';
import { beyondDatabase } from '../../src/core/cluster-statements.ts';

describe('reaches beyond the database', () => {
  test.each([
    ['create role x', ['line 1: CREATE ROLE']],
    ['select 1;\n\nALTER USER x with password $$y$$;', ['line 3: ALTER USER']],
    ['drop group g', ['line 1: DROP GROUP']],
    ['alter database orders set work_mem = 1', ['line 1: ALTER DATABASE']],
    ["create tablespace t location '/x'", ['line 1: CREATE TABLESPACE']],
    ['alter system set work_mem = 1', ['line 1: ALTER SYSTEM']],
    ['drop owned by x', ['line 1: DROP OWNED']],
    ["create subscription s connection '' publication p", ['line 1: CREATE SUBSCRIPTION']],
    ["select dblink_exec('dbname=other', 'drop table t')", ['line 1: DBLINK_EXEC']],
    ['select pg_terminate_backend(pid) from pg_stat_activity', ['line 1: PG_TERMINATE_BACKEND']],
  ])('%s', (text, found) => expect(beyondDatabase(text)).toEqual(found));
});

describe('stays within it', () => {
  test.each([
    'create table role (id int)',
    'create user mapping for x server y',
    'grant select on t to role_x',
    "insert into notes values ('create role x')",
    '-- drop role x\nselect 1',
    'alter table t owner to x',
  ])('%s', (text) => expect(beyondDatabase(text)).toEqual([]));
});
