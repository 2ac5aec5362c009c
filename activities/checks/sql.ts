// A query in a READ ONLY transaction: no rows, or one value within a threshold.
import { count } from '../../src/core/count.ts';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sameJson } from '../../src/core/canonical.ts';
import type { Json } from '../../src/core/plan/plan.ts';
import type { CheckSpec } from '../../src/core/plan/steps/check.ts';
import { outside } from '../../src/core/soak.ts';
import { selectProblem } from '../../src/io/sql-grammar.ts';
import { serverError, withSession } from '../../src/io/postgres.ts';
import type { StepResult } from '../frame/receipt.ts';
import type { Work } from '../frame/step-context.ts';

const STATEMENT_MS = 300_000;

const CANCELED = '57014';

export async function checkSql(work: Work, spec: SqlCheck): Promise<StepResult> {
  const started = performance.now();
  const problem = selectProblem(spec.sql);
  if (problem !== null)
    return { verdict: 'error', summary: `the query is not one SELECT that only reads: ${problem}` };
  try {
    const rows = await withSession(work.url, work.tag, async (session) => {
      await session.query('reset search_path');
      await session.query('begin read only');
      await session.query(`set local statement_timeout = ${Math.ceil(spec.withinMs ?? STATEMENT_MS)}`);
      return session.one(spec.sql);
    });
    const took = `${Math.round(performance.now() - started)} ms`;
    const judged = await judgeRows(work, rows, spec.returns);
    return spec.withinMs === undefined ? judged : { ...judged, summary: `${judged.summary} after ${took}` };
  } catch (error) {
    const said = serverError(error);
    if (!said) throw error;
    if (said.code === CANCELED && spec.withinMs !== undefined)
      return { verdict: 'fail', summary: `the query did not answer within ${spec.withinMs} ms` };
    return { verdict: 'error', summary: `the query failed: ${said.message} (${said.code})` };
  }
}

type SqlCheck = Extract<CheckSpec, { sql: string }>;

async function judgeRows(
  work: Work,
  rows: readonly object[],
  returns: SqlCheck['returns'],
): Promise<StepResult> {
  if (returns === 'no rows') return judgeNoRows(rows);
  if ('golden' in returns) return judgeGolden(work, rows, returns.golden);
  if ('rows' in returns)
    return {
      verdict: outside(returns.rows, rows.length, undefined, 'objective') ? 'fail' : 'pass',
      summary: `${count(rows.length, 'row')}, wanted ${returns.rows.text}`,
      figures: { rows: rows.length },
    };
  return judgeValue(rows, returns.value);
}

/** Facts that were reviewed and lie in the release: the very rows, as JSON prints them. */
async function judgeGolden(work: Work, rows: readonly object[], file: string): Promise<StepResult> {
  const golden = JSON.parse(await readFile(join(work.checkout, file), 'utf8')) as Json[];
  const now = JSON.parse(JSON.stringify(rows)) as Json[];
  const wrong = Array.from({ length: Math.max(golden.length, now.length) }, (_, at) => at).filter(
    (at) => !sameJson(golden[at] ?? null, now[at] ?? null),
  );
  return {
    verdict: wrong.length === 0 && golden.length > 0 ? 'pass' : golden.length === 0 ? 'inconclusive' : 'fail',
    summary: `${golden.length - wrong.length} of ${golden.length} golden rows as reviewed`,
    details: wrong
      .slice(0, 5)
      .map(
        (at) =>
          `row ${at + 1} is ${JSON.stringify(now[at] ?? null)}, reviewed was ` +
          `${JSON.stringify(golden[at] ?? null)}`,
      ),
    figures: { rows: now.length },
  };
}

function judgeNoRows(rows: readonly object[]): StepResult {
  if (rows.length === 0) return { verdict: 'pass', summary: 'no rows, as expected' };
  return {
    verdict: 'fail',
    summary: `${count(rows.length, 'row')}, expected none`,
    details: rows.slice(0, 5).map((row) => JSON.stringify(row)),
    figures: { rows: rows.length },
  };
}

function judgeValue(rows: readonly object[], limit: Parameters<typeof outside>[0]): StepResult {
  if (rows.length > 1)
    return { verdict: 'inconclusive', summary: `the query gave ${rows.length} rows, wanted one value` };
  const raw = rows[0] && Object.values(rows[0])[0];
  const value = raw === null || raw === undefined || raw === '' ? Number.NaN : Number(raw);
  if (Number.isNaN(value)) return { verdict: 'inconclusive', summary: 'the query gave no number' };
  return {
    verdict: outside(limit, value, undefined, 'objective') ? 'fail' : 'pass',
    summary: `${value}, wanted ${limit.text}`,
    figures: { value },
  };
}
