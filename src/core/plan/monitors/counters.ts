// One row of counters that only grow; what counts is their growth between two samples.
import { path } from '../forms.ts';
import { defineSource } from './source.ts';

export interface CountersRead {
  readonly counters: string;
}

export const counters = defineSource({
  key: 'counters',
  form: path.describe('File with one query that returns one row of counters, read as differences'),
  beside: {},
  toRead: (file): CountersRead => ({ counters: file }),
  givesRatios: true,
  readsDatabase: true,
  countsSince: () => true,
  files: (read) => [read.counters],
  programs: () => [],
});
