// Which files are told of because they set limits for themselves.
import { expect, test } from 'vitest';
import { ownLimits } from '../../src/core/own-limits.ts';

test.each([
  ['SET lock_timeout = 0;\nSET statement_timeout = 0;', 'lock_timeout (line 1), statement_timeout (line 2)'],
  ['set local\nlock_timeout to default; reset LOCK_TIMEOUT', 'lock_timeout (line 2)'],
  ['set session "lock_timeout" = 0;\n\nreset lock_timeout', 'lock_timeout (lines 1, 3)'],
  ['/* now */ reset all', 'RESET ALL (line 1)'],
  ["select\n set_config('lock_timeout', '0', false)", 'lock_timeout (line 2)'],
  ['do $$ begin\n  set local statement_timeout = 0;\nend $$', 'statement_timeout (line 2)'],
  ['create function f() returns int language sql set lock_timeout = 0 return 1', 'lock_timeout (line 1)'],
])('%j', (text, named) =>
  expect(ownLimits('0001_x', text, 'they hold')).toEqual([
    `0001_x names ${named}: whatever it sets, they hold`,
  ]),
);

test.each([
  '',
  'create table a (); reset role; set idle_in_transaction_session_timeout = 0',
  '-- set lock_timeout = 0\nselect 1 /* statement_timeout */',
  'copy t from stdin;\nlock_timeout\n\\.\nselect 1;',
  'update a set my_lock_timeout = 1',
])('%j: nothing to tell', (text) => expect(ownLimits('0001_x', text, '')).toEqual([]));
