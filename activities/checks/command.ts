// One of the release's own commands: its exit code and, where the plan names them, values of the JSON it
// prints or counts of its test report.
import { readFile, rm } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { sameJson } from '../../src/core/canonical.ts';
import { readJunit, type TestReport } from '../../src/core/junit.ts';
import type { Json } from '../../src/core/plan/plan.ts';
import type { CheckSpec } from '../../src/core/plan/steps/check.ts';
import { valueAt } from '../../src/core/pointer.ts';
import type { CommandResult } from '../../src/io/command.ts';
import { tail } from '../../src/io/redact.ts';
import type { StepResult } from '../frame/receipt.ts';
import type { Work } from '../frame/step-context.ts';
import { judgeText } from './text.ts';
import { watchDatabases } from './watch-databases.ts';

type CommandCheck = Extract<CheckSpec, { command: unknown }>;

/** A check reads: its session is read-only unless the plan says that it changes the database (rule 2). */
export async function checkCommand(work: Work, spec: CommandCheck): Promise<StepResult> {
  // A report that an earlier run left would speak for this one.
  if (spec.junit) await rm(reportPath(work, spec.junit.file), { force: true });
  const run = () => work.runRelease(spec.command, { readOnly: !spec.changes.includes('database') });
  const { result, databases } = spec.junit
    ? await watchDatabases(work, run)
    : { result: await run(), databases: [] };
  const outcomes = [
    judgeExit(result),
    ...(spec.json ? [judgeJson(result, spec.json)] : []),
    ...(spec.text ? [judgeText(`${result.stdout}\n${result.stderr}`, spec.text)] : []),
    ...(spec.junit ? [await judgeReport(work, spec.junit, databases)] : []),
  ];
  // A report says more than an exit code: what failed, by name.
  return (
    outcomes.toReversed().find((outcome) => outcome.verdict === 'fail') ??
    outcomes.find((outcome) => outcome.verdict !== 'pass') ??
    outcomes.at(-1)!
  );
}

function judgeExit(result: CommandResult): StepResult {
  if (result.exitCode === 0)
    return { verdict: 'pass', summary: `ended with 0 after ${Math.round(result.tookMs)} ms` };
  return {
    verdict: result.exitCode === null ? 'error' : 'fail',
    summary: `ended with ${result.exitCode ?? result.killedBy}`,
    details: lastWords(result),
  };
}

function judgeJson(result: CommandResult, expectations: Readonly<Record<string, Json>>): StepResult {
  const document = parseJson(result.stdout);
  if (document === undefined)
    return { verdict: 'error', summary: 'its output is not JSON', details: lastWords(result) };
  const all = Object.entries(expectations);
  const wrong = all.filter(([pointer, expected]) => !sameJson(valueAt(document, pointer) ?? null, expected));
  return {
    verdict: wrong.length === 0 ? 'pass' : 'fail',
    summary: `${all.length - wrong.length} of ${all.length} values as expected`,
    details: wrong.map(
      ([pointer, expected]) =>
        `${pointer} is ${JSON.stringify(valueAt(document, pointer) ?? null)}, expected ` +
        `${JSON.stringify(expected)}`,
    ),
  };
}

/**
 * Exactly so many passed, no more than so many skipped, none failed; no report is an error, never a pass
 * (rule 1).
 */
async function judgeReport(
  work: Work,
  { file, passed, skipped }: NonNullable<CommandCheck['junit']>,
  databases: readonly string[],
): Promise<StepResult> {
  const xml = await readFile(reportPath(work, file), 'utf8').catch(() => undefined);
  if (xml === undefined) return { verdict: 'error', summary: `it wrote no report ${file}` };
  const report = parseReport(xml);
  if (typeof report === 'string')
    return { verdict: 'error', summary: `the report ${file} cannot be read: ${report}` };
  const bad = report.failures + report.errors;
  const wrong = [
    ...(bad > 0 ? [`${bad} failed: ${report.failed.join(', ')}`] : []),
    ...(report.passed === passed ? [] : [`${report.passed} passed, expected exactly ${passed}`]),
    ...(report.skipped <= skipped ? [] : [`${report.skipped} skipped, expected at most ${skipped}`]),
  ];
  const figures = { tests: report.tests, passed: report.passed, failed: bad, skipped: report.skipped };
  const summary = `${report.passed} tests passed, ${bad} failed, ${report.skipped} skipped`;
  // A suite that ran on SQLite, or not at all on a database, has shown nothing about this server (T-47).
  if (wrong.length === 0 && databases.length === 0)
    return {
      verdict: 'inconclusive',
      summary: `${summary}, but no session of it was seen on this server`,
      figures,
    };
  return {
    verdict: wrong.length === 0 ? 'pass' : 'fail',
    summary: `${summary}${databases.length > 0 ? `, on ${databases.join(' and ')} of this server` : ''}`,
    details: wrong,
    figures,
  };
}

function parseReport(xml: string): TestReport | string {
  try {
    return readJunit(xml);
  } catch (error) {
    return (error as Error).message;
  }
}

/** @throws Error for a path that leads out of the checkout. */
function reportPath(work: Pick<Work, 'checkout'>, file: string): string {
  const path = resolve(work.checkout, file);
  if (!path.startsWith(work.checkout + sep)) throw new Error(`the report ${file} is not below the checkout`);
  return path;
}

const lastWords = (result: CommandResult): string[] =>
  tail(result.stderr || result.stdout, 2_000)
    .split('\n')
    .filter((line) => line.length > 0);

export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
