// A trace of Python, as Django prints it when a migration cannot be reversed.
import { expect, test } from 'vitest';
import { withoutFrames } from '../../src/core/python-trace.ts';

const TRACE = `Traceback (most recent call last):
  File "/app/env/django/db/backends/utils.py", line 105, in _execute
    return self.cursor.execute(sql, params)
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
psycopg.errors.UndefinedTable: relation "a" does not exist
LINE 1: select * from a
                      ^

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "manage.py", line 20, in <module>
    main()
django.db.utils.ProgrammingError: relation "a" does not exist
LINE 1: select * from a
                      ^`.split('\n');

test('only what the exceptions say is left', () => {
  expect(withoutFrames(TRACE)).toEqual([
    'psycopg.errors.UndefinedTable: relation "a" does not exist',
    'LINE 1: select * from a',
    'django.db.utils.ProgrammingError: relation "a" does not exist',
    'LINE 1: select * from a',
  ]);
});

test.each([[['no trace', '  at all']], [['Traceback (most recent call last):', '  File "x"']], [[]]])(
  '%j stays as it is',
  (lines) => expect(withoutFrames(lines)).toEqual(lines),
);
