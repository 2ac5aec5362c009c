// The traps that were measured and touch runbook 0 or 1; a test is named after each.
import type { Trap } from './line.ts';

export const traps: readonly Trap[] = [
  { id: 'T-01', line: 'a list of a plain dump fails, and through a pipe it does not' },
  { id: 'T-02', line: 'a pattern finds an older dump' },
  { id: 'T-03', line: 'a dump cut in half still has its list (met by S1-33)' },
  { id: 'T-04', line: 'a restore over a live database keeps what should be gone' },
  {
    id: 'T-06',
    line: 'an open session stops dropdb; dropped and created, a database loses what was set for it',
  },
  { id: 'T-07', line: 'a dump that failed leaves a file under its name' },
  { id: 'T-36', line: 'the old code reverses nothing, and says 0' },
  { id: 'T-42', line: 'an exit code of 0 after an error' },
  { id: 'T-46', line: 'HEAD is refused, a redirect is no 200' },
  { id: 'T-47', line: 'messages are those of another database' },
  { id: 'T-49', line: 'NULL passes a check' },
  { id: 'T-51', line: 'an empty migration is recorded and changes nothing' },
  { id: 'T-66', line: 'marks in a report are not ASCII, and may be broken' },
  { id: 'T-75', line: 'two dumps of one state differ in their bytes' },
];
