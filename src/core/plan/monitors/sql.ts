// One row of a query file of the release.
import { path } from '../forms.ts';
import { defineSource } from './source.ts';

export interface SqlRead {
  readonly sql: string;
}

export const sql = defineSource({
  key: 'sql',
  form: path.describe('File with one query that returns one row, read as it stands'),
  beside: {},
  toRead: (file): SqlRead => ({ sql: file }),
  readsDatabase: true,
  countsSince: () => false,
  files: (read) => [read.sql],
  programs: () => [],
});
