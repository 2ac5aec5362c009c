// A query in a READ ONLY transaction: no rows, or one value within a band.
import type { CheckSpec } from '../../src/core/plan/plan.ts';
import { outside } from '../../src/core/soak.ts';
import { serverError, withSession } from '../../src/io/postgres.ts';
import type { Outcome } from '../as-step.ts';
import type { Work } from '../work.ts';

const STATEMENT_MS = 300_000;

export async function checkSql(work: Work, spec: Extract<CheckSpec, { sql: string }>): Promise<Outcome> {
  try {
    const rows = await withSession(work.url, work.tag, async (session) => {
      await session.query('set search_path = public, pg_catalog');
      await session.query('begin read only');
      await session.query(`set local statement_timeout = ${STATEMENT_MS}`);
      return session.query(spec.sql);
    });
    return spec.returns === 'no rows' ? judgeNoRows(rows) : judgeValue(rows, spec.returns.value);
  } catch (error) {
    const said = serverError(error);
    if (!said) throw error;
    return { verdict: 'error', summary: `the query failed: ${said.message} (${said.code})` };
  }
}

function judgeNoRows(rows: readonly object[]): Outcome {
  if (rows.length === 0) return { verdict: 'pass', summary: 'no rows, as expected' };
  return {
    verdict: 'fail',
    summary: `${rows.length} rows, expected none`,
    details: rows.slice(0, 5).map((row) => JSON.stringify(row)),
    figures: { rows: rows.length },
  };
}

function judgeValue(rows: readonly object[], limit: Parameters<typeof outside>[0]): Outcome {
  const raw = rows[0] && Object.values(rows[0])[0];
  const value = raw === null || raw === undefined ? Number.NaN : Number(raw);
  if (Number.isNaN(value)) return { verdict: 'inconclusive', summary: 'the query gave no number' };
  return { verdict: outside(limit, value, undefined, 'target') ? 'fail' : 'pass', summary: `${value}, wanted ${limit.text}`, figures: { value } };
}
