// The SQL of a plan's rules and checks, read with PostgreSQL's grammar and prepared on the database, before
// anything is done: nothing of it is run.
import type { Step } from '../../src/core/step-list.ts';
import { specOf } from '../../src/core/specs.ts';
import type { RowRule } from '../../src/core/plan/steps/data.ts';
import { serverError, type Session, withSession } from '../../src/io/postgres.ts';
import { calledFunctions, selectProblem } from '../../src/io/sql-grammar.ts';
import { fixableShape, ruleProblem } from '../data/rules.ts';
import { tableShape } from '../data/table-shape.ts';
import type { Work } from '../frame/step-context.ts';
import type { Look } from './preflight-rights.ts';

/** A column or table that is not there, or not yet: a migration before the step may make it. */
const NOT_THERE = ['42703', '42P01', '42883', '42704'];

/** A look for each rule and each SQL check; what stands behind `migrate` may name what is not there yet. */
export async function looksAtSql(work: Work): Promise<readonly Look[]> {
  const migrates = work.list.steps.findIndex(({ kind }) => kind === 'migrate');
  return withSession(work.url, work.tag, async (session) => {
    await session.query('reset search_path');
    const looks: Look[] = [];
    for (const step of work.list.steps) {
      const later = migrates >= 0 && step.index > migrates;
      for (const { name, problem, note } of await problemsOf(session, step, later)) {
        if (problem !== null) looks.push({ verdict: 'fail', line: `${name}: ${problem}` });
        else if (note !== null) looks.push({ verdict: 'pass', line: `${name}: ${note}` });
      }
    }
    return looks.length > 0
      ? looks
      : [{ verdict: 'pass', line: 'the SQL of rules and checks can be prepared' }];
  });
}

interface Asked {
  /** Step and rule, for people. */
  readonly name: string;
  readonly problem: string | null;
  readonly note: string | null;
}

async function problemsOf(session: Session, step: Step, later: boolean): Promise<readonly Asked[]> {
  const check = specOf(step, 'check');
  if (check && 'sql' in check) {
    const problem = selectProblem(check.sql) ?? (await unprepared(session, check.sql, later));
    const calls = problem === null ? await writingCalls(session, check.sql) : null;
    return [
      { name: `step ${step.name}`, problem: problem ?? calls?.problem ?? null, note: calls?.note ?? null },
    ];
  }
  const data = specOf(step, 'checkData');
  if (!data || data.pass !== 'first') return data ? askRules(session, step, data.rules, later) : [];
  return askRules(session, step, data.rules, later);
}

async function askRules(
  session: Session,
  step: Step,
  rules: readonly RowRule[],
  later: boolean,
): Promise<readonly Asked[]> {
  const asked: Asked[] = [];
  for (const rule of rules) {
    const name = `step ${step.name}, rule ${rule.name}`;
    const problem = ruleProblem(rule) ?? (await ruleUnprepared(session, rule, later));
    const calls = problem === null ? await writingCalls(session, `select\n${rule.bad}\n`) : null;
    asked.push({ name, problem: problem ?? calls?.problem ?? null, note: calls?.note ?? null });
  }
  return asked;
}

async function ruleUnprepared(session: Session, rule: RowRule, later: boolean): Promise<string | null> {
  const shape =
    rule.fix === undefined ? await tableShape(session, rule.table) : await fixableShape(session, rule);
  if (typeof shape === 'string') return later && shape.startsWith('there is no table') ? null : shape;
  if (!shape) return later ? null : `there is no table ${rule.table} on the search path`;
  const condition = await unprepared(session, `select from ${shape.quoted} t where (\n${rule.bad}\n)`, later);
  if (condition !== null || rule.fix === undefined) return condition;
  return unprepared(session, `update ${shape.quoted} t set\n${rule.fix}\nwhere false`, later);
}

/** What PostgreSQL says when it plans the statement, without running it; null when it can. */
async function unprepared(session: Session, sql: string, later: boolean): Promise<string | null> {
  try {
    await session.one(`explain ${sql}`);
    return null;
  } catch (error) {
    const said = serverError(error);
    if (!said) throw error;
    return later && NOT_THERE.includes(said.code) ? null : `${said.message} (${said.code})`;
  }
}

async function writingCalls(
  session: Session,
  sql: string,
): Promise<{ readonly problem: string | null; readonly note: string | null }> {
  const called = calledFunctions(sql);
  const volatile = await session.query<{ name: string }>(
    `select distinct p.proname as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where p.proname = any ($1) and p.provolatile = 'v' and n.nspname not in ('pg_catalog', 'information_schema')
      order by 1`,
    [called],
  );
  const names = volatile.map(({ name }) => name).join(', ');
  return {
    problem: null,
    note: names === '' ? null : `it calls ${names}, which may write as far as PostgreSQL knows (volatile)`,
  };
}
