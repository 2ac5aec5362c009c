// One row of a query file, read as it stands.
import { documentReader } from './reader.ts';
import { readSqlRow } from './sql-row.ts';

export const readSql = documentReader<'sql'>((work, { read }) => readSqlRow(work, read.sql));
