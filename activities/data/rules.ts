// A plan's rule as the database takes it: one condition, one list of assignments, one table with a key.
import type { RowRule } from '../../src/core/plan/steps/data.ts';
import type { Session } from '../../src/io/postgres.ts';
import { assignmentsProblem, expressionProblem } from '../../src/io/sql-grammar.ts';
import { type TableShape, tableShape } from './table-shape.ts';

/** Why the rule's SQL is not what a rule is made of; null when it is. */
export function ruleProblem({ bad, fix }: Pick<RowRule, 'bad' | 'fix'>): string | null {
  const condition = expressionProblem(bad);
  if (condition !== null) return `its "bad" is no single condition: ${condition}`;
  const assignments = fix === undefined ? null : assignmentsProblem(fix);
  return assignments === null ? null : `its "fix" is no list of assignments: ${assignments}`;
}

const KINDS: Readonly<Record<string, string>> = {
  v: 'a view',
  m: 'a materialized view',
  f: 'a foreign table',
  S: 'a sequence',
  c: 'a composite type',
  i: 'an index',
};

/** The table whose rows the rule may change, or why it cannot be fixed by rows. */
export async function fixableShape(session: Session, rule: RowRule): Promise<TableShape | string> {
  const shape = await tableShape(session, rule.table);
  if (!shape) return `there is no table ${rule.table} on the search path`;
  const kind = KINDS[shape.kind];
  if (kind) return `${rule.table} is ${kind}; a fix changes rows of a table`;
  if (shape.key.length === 0)
    return `${rule.table} has no primary key, so no row could be put back; fix it by a command, or by people`;
  return shape;
}
