// Counters that only grow: what counts is the difference from the last row.
import { counterSamples } from '../../src/core/counters.ts';
import type { Counters } from '../../src/core/soak.ts';
import type { Reader } from './reader.ts';
import { readSqlRow } from './sql-row.ts';

export const readCounters: Reader<'counters'> = async (work, { name, monitor, read, at, counters }) => {
  const row = (await readSqlRow(work, read.counters)) as Counters;
  return { samples: counterSamples(name, monitor, at, counters, row), counters: row };
};
