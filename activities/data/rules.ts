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
  return (await keptBy(session, shape)) ?? shape;
}

/** Why no before-image of the table's rows could be kept or put back; null when they could. */
async function keptBy(session: Session, { name, quoted }: TableShape): Promise<string | null> {
  const [encoding] = await session.query<{ name: string }>(
    "select current_setting('server_encoding') as name",
  );
  if (encoding?.name === 'SQL_ASCII')
    return 'the database has no encoding (SQL_ASCII), so the before-images of its rows could not be kept';
  const [heir] = await session.query<{ name: string }>(
    `with recursive heirs as (
       select inhrelid as oid from pg_inherits where inhparent = to_regclass($1) union all
       select i.inhrelid from pg_inherits i join heirs h on i.inhparent = h.oid)
     select c.oid::regclass::text as name from heirs join pg_class c using (oid)
      where c.relkind = 'f' or (not c.relispartition
        and not exists (select from pg_index x where x.indrelid = c.oid and x.indisprimary)) limit 1`,
    [quoted],
  );
  return heir
    ? `${heir.name} inherits from ${name} and has no primary key or is a foreign table, so its rows could not be ` +
        'put back; name the table of the rows itself, or fix it by a command'
    : null;
}
