// The family of checks: each asks the target one kind of question and answers with a verdict.
import type { CheckSpec } from '../../src/core/plan/steps/check.ts';
import type { StepResult } from '../frame/receipt.ts';
import type { Work } from '../frame/step-context.ts';
import { checkColumns } from './columns.ts';
import { checkCommand } from './command.ts';
import { checkConstraints } from './constraints.ts';
import { checkHttp } from './http.ts';
import { checkSql } from './sql.ts';

/** Chooses by the key that the plan wrote. */
export async function check(work: Work, spec: CheckSpec): Promise<StepResult> {
  if ('constraints' in spec) return checkConstraints(work, spec.constraints);
  if ('columns' in spec) return checkColumns(work, spec.columns);
  if ('sql' in spec) return checkSql(work, spec);
  if ('http' in spec) return checkHttp(work, spec.http);
  return checkCommand(work, spec);
}
