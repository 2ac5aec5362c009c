// check data: SQL rules counted in one pass per table, or a command that prints findings as the documented JSON.
import { count } from '../../src/core/count.ts';
import type { FoundBy } from '../../src/core/evidence-delta.ts';
import type { CheckDataSpec, DataSpec, RowRule } from '../../src/core/plan/steps/data.ts';
import type { Finding } from '../../src/core/receipts.ts';
import { serverError, type Session, withSession } from '../../src/io/postgres.ts';
import { tail } from '../../src/io/redact.ts';
import type { StepResult } from '../frame/receipt.ts';
import { parseJson } from '../checks/command.ts';
import { ruleProblem } from './rules.ts';
import { keyText, type TableShape, tableShape } from './table-shape.ts';
import { slug } from '../frame/artifact-paths.ts';
import type { Work } from '../frame/step-context.ts';

const CARRIED = 50;
const SAMPLES = 20;
/** So many rows of a rule are read to name the first of them. */
const FEW = 1_000;

interface Found {
  readonly category: string;
  readonly count: number;
  readonly fix: Finding['fix'];
  readonly findings: readonly Finding[];
}

export async function checkData(work: Work, spec: CheckDataSpec): Promise<StepResult> {
  const ruled = await readRules(work, spec);
  const checked = spec.check ? await runCheck(work, spec) : [];
  // What could not be asked says nothing about the rows (rule 1).
  if (typeof ruled === 'string' || typeof checked === 'string')
    return {
      verdict: 'error',
      summary: [ruled, checked].filter((said) => typeof said === 'string').join('; '),
    };
  const found = [...ruled, ...checked];
  const total = (fix?: Finding['fix']) =>
    found.filter((entry) => !fix || entry.fix === fix).reduce((sum, entry) => sum + entry.count, 0);
  const findings = found.flatMap((entry) => entry.findings);
  await recordFindings(work, spec, found);
  const bad = spec.pass === 'last' ? total() : total('people') + total('none');
  return {
    verdict: bad > 0 ? 'fail' : 'pass',
    summary:
      total() === 0
        ? 'no findings'
        : `${count(total(), 'finding')}: ${total('auto')} can be fixed, ${total('people')} for people, ` +
          `${total('none')} cannot be fixed`,
    details: found
      .filter((entry) => entry.count > 0)
      .map((entry) => `${entry.category}: ${entry.count} (${entry.fix})`),
    figures: { findings: total(), auto: total('auto'), people: total('people'), none: total('none') },
    findings: findings.slice(0, CARRIED),
  };
}

/**
 * One file for each data step: how many of each category, and the findings themselves as far as they are
 * carried.
 */
async function recordFindings(
  work: Work,
  spec: { readonly pass: 'first' | 'last' },
  found: readonly Found[],
): Promise<void> {
  const { kind } = work.step;
  const looked = work.list.steps
    .slice(0, work.step.index)
    .some((step) => step.kind === kind && step.name === stepName(work));
  const record = {
    step: stepName(work),
    counts: Object.fromEntries(found.map((entry) => [entry.category, entry.count])),
    findings: found.flatMap((entry) => entry.findings),
  };
  // A step that fixes nothing looks once: what it finds is how the rows were, and how they are.
  if (spec.pass === 'first' || !looked)
    await work.record('baseline', `findings/${slug(record.step)}.json`, record satisfies FoundBy);
  if (spec.pass === 'last')
    await work.record('after', `findings/${slug(record.step)}.json`, record satisfies FoundBy);
}

/** The name in the plan: the second look is called `NAME: again`. */
const stepName = ({ step }: Work): string => step.name.replace(/: again$/u, '');

/** One statement for each table, whatever the number of its rules. */
async function readRules(work: Work, spec: DataSpec): Promise<readonly Found[] | string> {
  for (const rule of spec.rules) {
    const problem = ruleProblem(rule);
    if (problem !== null) return `the rule ${rule.name} cannot be asked: ${problem}`;
  }
  const tables = [...new Set(spec.rules.map((rule) => rule.table))];
  return withSession(work.url, work.tag, async (session) => {
    await session.query('reset search_path');
    await session.query('set default_transaction_read_only = on');
    const found: Found[] = [];
    for (const table of tables) {
      work.progress(`reading ${table}`);
      const rules = spec.rules.filter((rule) => rule.table === table);
      const shape = await tableShape(session, table);
      if (!shape) return `the rules on ${table} cannot be asked: there is no such table on the search path`;
      const asked = await askTable(session, shape, rules);
      if (typeof asked === 'string') return asked;
      found.push(...rules.map((rule, at) => asFound(rule, asked[at]!, spec)));
    }
    return found;
  });
}

/** How many rows a rule finds, and the keys of the first of them. */
interface Asked {
  readonly rows: number;
  readonly keys: readonly string[];
}

/**
 * All rules are counted in one pass, which several workers of the server may share; keys are read in one more, of
 * the same moment, and only where there are any. Or what PostgreSQL says of the conditions.
 */
async function askTable(
  session: Session,
  shape: TableShape,
  rules: readonly RowRule[],
): Promise<readonly Asked[] | string> {
  await session.query('begin isolation level repeatable read read only');
  try {
    const counts = rules.map(({ bad }, at) => `count(*) filter (where (\n${bad}\n)) as n${at}`);
    const [row] = await session.one<Record<string, string>>(
      `select ${counts.join(', ')} from ${shape.quoted} t`,
    );
    const rows = rules.map((_, at) => Number(row?.[`n${at}`] ?? 0));
    const few = rules.filter((_, at) => rows[at]! > 0 && rows[at]! <= FEW);
    const keys = new Map(await keysOfAll(session, shape, few));
    const asked: Asked[] = [];
    for (const [at, rule] of rules.entries()) {
      const many = rows[at]! > FEW ? await firstKeys(session, shape, rule.bad) : [];
      asked.push({ rows: rows[at]!, keys: keys.get(rule) ?? many });
    }
    return asked;
  } catch (error) {
    const said = serverError(error);
    if (!said) throw error;
    return `the rules on ${shape.name} cannot be asked: ${said.message} (${said.code})`;
  } finally {
    await session.query('rollback').catch(() => undefined);
  }
}

/** In the order in which the rows lie, the same each time. */
const IN_ORDER = 'set local max_parallel_workers_per_gather = 0; set local synchronize_seqscans = off';

/** Of rules that find few rows: all in one pass more, because each alone would read the whole table for them. */
async function keysOfAll(
  session: Session,
  shape: TableShape,
  rules: readonly RowRule[],
): Promise<readonly (readonly [RowRule, readonly string[]])[]> {
  if (rules.length === 0) return [];
  await session.query(IN_ORDER);
  const bad = rules.map((rule) => `(\n${rule.bad}\n)`);
  const rows = await session.one<{ key: string; by: boolean[] }>(
    `select ${keyText(shape)} as key, array[${bad.map((one) => `${one} is true`).join(', ')}] as by
      from ${shape.quoted} t where ${bad.join(' or ')}`,
  );
  return rules.map((rule, at) => {
    const found = rows.filter(({ by }) => by[at]);
    return [rule, found.slice(0, SAMPLES).map(({ key }) => key)] as const;
  });
}

/** Of one rule that finds many: the pass ends with the last of them that is carried. */
async function firstKeys(session: Session, shape: TableShape, bad: string): Promise<readonly string[]> {
  await session.query(IN_ORDER);
  const rows = await session.one<{ key: string }>(
    `select ${keyText(shape)} as key from ${shape.quoted} t where (\n${bad}\n) limit ${SAMPLES}`,
  );
  return rows.map(({ key }) => key);
}

function asFound(rule: RowRule, { rows, keys }: Asked, spec: DataSpec): Found {
  const fix: Finding['fix'] = rule.fix
    ? 'auto'
    : Object.hasOwn(spec.peopleDecide, rule.name)
      ? 'people'
      : 'none';
  return {
    category: rule.name,
    count: rows,
    fix,
    findings: keys.map((key) => ({
      category: rule.name,
      key: `${rule.table} ${key}`,
      fix,
      message: rule.message ?? rule.bad,
    })),
  };
}

async function runCheck(work: Work, spec: DataSpec): Promise<readonly Found[] | string> {
  const result = await work.runRelease(spec.check!.command, { readOnly: true });
  const document = parseJson(result.stdout);
  const list = Array.isArray(document) ? document : undefined;
  // The exit code does not matter where findings were printed: many tools exit 1 because they found
  // something.
  if (!list)
    return (
      `the check printed no findings as JSON (exit ${result.exitCode ?? result.killedBy}): ` +
      `${tail(result.stderr || result.stdout, 1_000)}`
    );
  const findings = list
    .map((entry) => entry as unknown as Finding)
    .map((finding): Finding => ({
      ...finding,
      fix: Object.hasOwn(spec.peopleDecide, finding.category) ? 'people' : finding.fix,
    }));
  const categories = [...new Set(findings.map((finding) => `${finding.category} ${finding.fix}`))];
  return categories.map((id) => {
    const of = findings.filter((finding) => `${finding.category} ${finding.fix}` === id);
    return { category: of[0]!.category, count: of.length, fix: of[0]!.fix, findings: of };
  });
}
