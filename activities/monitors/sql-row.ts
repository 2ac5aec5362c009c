// The first row of a query file of the release, read in a READ ONLY transaction under the name that evictions
// spare.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '../../src/core/plan/plan.ts';
import { observeTag } from '../../src/core/ids.ts';
import { selectProblem } from '../../src/io/sql-grammar.ts';
import { withSession } from '../../src/io/postgres.ts';
import type { Work } from '../frame/step-context.ts';

const STATEMENT_MS = 60_000;

export async function readSqlRow(work: Work, file: string): Promise<Readonly<Record<string, Json>>> {
  const sql = await readFile(join(work.checkout, file), 'utf8');
  const problem = selectProblem(sql);
  if (problem !== null) throw new Error(`${file} is not one SELECT that only reads: ${problem}`);
  return withSession(work.url, observeTag(work.rollout), async (session) => {
    await session.query('reset search_path');
    await session.query('begin read only');
    await session.query(`set local statement_timeout = ${STATEMENT_MS}`);
    const [row] = await session.one<Record<string, unknown>>(sql);
    const [wrote] = await session.query('select where pg_current_xact_id_if_assigned() is not null');
    if (wrote) {
      await session.query('rollback');
      throw new Error(`${file} writes, through a function that it calls; what it wrote was taken back`);
    }
    // An open transaction would count as a rollback in the very counters that are read.
    await session.query('commit');
    if (!row) throw new Error(`${file} gave no row`);
    return Object.fromEntries(Object.entries(row).map(([column, value]) => [column, plain(value)]));
  });
}

/** bigint and numeric come as text; a number of either is a number here. */
function plain(value: unknown): Json {
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'string' && /^-?\d+(\.\d+)?$/u.test(value)) return Number(value);
  return (value ?? null) as Json;
}
