// SQL that stands in a plan, read with PostgreSQL's own grammar: that a fragment is what it claims to be, so
// that nothing in it can reach the statement around it.
import { loadModule, parseSync, SqlError } from 'libpg-query';
import { actingFunctions } from './acting-functions.ts';

type Node = Readonly<Record<string, unknown>>;

await loadModule();

/** What is wrong with a text that should be one expression; null when it is one. */
export function expressionProblem(text: string): string | null {
  const found = onlyStatement(`select\n${text}\n`, 'SelectStmt');
  if (typeof found === 'string') return found;
  const targets = found['targetList'] as { ResTarget: Node }[] | undefined;
  const more = clausesBeside(found, ['targetList', 'limitOption', 'op']);
  if (more !== null || found['op'] !== 'SETOP_NONE') return `it has ${more ?? 'a set operation'}`;
  if (targets === undefined) return 'it is empty';
  if (targets.length > 1) return `it is ${targets.length} expressions, separated by commas`;
  return targets[0]!.ResTarget['name'] === undefined ? actingProblem(found) : 'it names its result with "as"';
}

/** What is wrong with a text that should be assignments (`a = 1, b = 2`); null when it is. */
export function assignmentsProblem(text: string): string | null {
  const found = onlyStatement(`update t set\n${text}\n`, 'UpdateStmt');
  if (typeof found === 'string') return found;
  const more = clausesBeside(found, ['relation', 'targetList']);
  return more === null ? actingProblem(found) : `it has ${more}`;
}

/** What is wrong with a text that should be one SELECT that writes nothing; null when it is. */
export function selectProblem(text: string): string | null {
  const found = onlyStatement(text, 'SelectStmt');
  if (typeof found === 'string') return found;
  for (const node of within(found))
    for (const [key, words] of WRITES) if (node[key] !== undefined) return words;
  return actingProblem(found);
}

function actingProblem(statement: Node): string | null {
  const acting = actingFunctions(functionsIn(statement));
  return acting.length === 0
    ? null
    : `it calls ${acting.join(', ')}: a check, a monitor or a rule may not write, act on sessions or run SQL from a text`;
}

/** Every function that a statement calls by name, lower case, without its schema; each once. */
export const calledFunctions = (text: string): readonly string[] =>
  functionsIn(parseSync(text) as unknown as Node);

function functionsIn(statement: Node): readonly string[] {
  const names = new Set<string>();
  for (const node of within(statement)) {
    const call = node['FuncCall'] as { funcname?: { String?: { sval?: string } }[] } | undefined;
    const name = call?.funcname?.at(-1)?.String?.sval;
    if (name !== undefined) names.add(name);
  }
  return [...names];
}

/**
 * Names of the columns that a text assigns in rows that are there, and of those that it renames, each once; null where
 * the text cannot be read, or runs code (DO, CALL) that may assign others.
 */
export function assignedColumns(text: string): readonly string[] | null {
  let parsed: Node;
  try {
    parsed = parseSync(text) as unknown as Node;
  } catch {
    return null;
  }
  const names = new Set<string>();
  for (const node of within(parsed)) {
    if (node['DoStmt'] !== undefined || node['CallStmt'] !== undefined) return null;
    for (const key of ['UpdateStmt', 'onConflictClause', 'MergeWhenClause'])
      for (const name of targetsOf(node[key] as Node | undefined)) names.add(name);
    const renamed = node['RenameStmt'] as { subname?: string; newname?: string } | undefined;
    for (const name of renamed?.subname ? [renamed.subname, renamed.newname] : []) if (name) names.add(name);
  }
  return [...names];
}

const targetsOf = (clause: Node | undefined): readonly string[] =>
  ((clause?.['targetList'] ?? []) as { ResTarget?: { name?: string } }[]).flatMap(
    ({ ResTarget }) => ResTarget?.name ?? [],
  );

const WRITES = [
  ['InsertStmt', 'it inserts'],
  ['UpdateStmt', 'it updates'],
  ['DeleteStmt', 'it deletes'],
  ['MergeStmt', 'it merges'],
  ['intoClause', 'it makes a table (INTO)'],
  ['lockingClause', 'it locks rows (FOR UPDATE or FOR SHARE)'],
] as const;

/** The clauses as people know them; by their name in PostgreSQL's grammar. */
const CLAUSES: Readonly<Record<string, string>> = {
  fromClause: 'a FROM clause',
  whereClause: 'a WHERE clause',
  groupClause: 'GROUP BY',
  havingClause: 'HAVING',
  windowClause: 'a WINDOW clause',
  sortClause: 'ORDER BY',
  limitCount: 'LIMIT',
  limitOffset: 'OFFSET',
  lockingClause: 'FOR UPDATE or FOR SHARE',
  intoClause: 'INTO',
  distinctClause: 'DISTINCT',
  withClause: 'WITH',
  valuesLists: 'VALUES',
  returningList: 'RETURNING',
  returningClause: 'RETURNING',
};

function clausesBeside(statement: Node, allowed: readonly string[]): string | null {
  const more = Object.keys(statement).filter((key) => !allowed.includes(key));
  return more.length === 0 ? null : more.map((key) => CLAUSES[key] ?? key).join(', ');
}

/** The statement of this kind that the text is, or why it is not. */
function onlyStatement(sql: string, kind: string): Node | string {
  if (sql.trim() === '') return 'it is empty';
  try {
    const statements = (parseSync(sql).stmts ?? []) as unknown as { stmt: Node }[];
    if (statements.length === 0) return 'it is empty';
    if (statements.length > 1) return `it is ${statements.length} statements`;
    const found = statements[0]!.stmt[kind] as Node | undefined;
    return found ?? `it is no ${kind === 'SelectStmt' ? 'SELECT' : 'list of assignments'}`;
  } catch (error) {
    // Its own error has PostgreSQL's words; whatever else it throws, it has not read the text.
    return error instanceof SqlError ? error.message : `it cannot be read: ${(error as Error).message}`;
  }
}

/** Every object within, from without to within. */
function* within(value: unknown): Generator<Node> {
  if (Array.isArray(value)) for (const member of value) yield* within(member);
  else if (typeof value === 'object' && value !== null) {
    yield value as Node;
    for (const member of Object.values(value)) yield* within(member);
  }
}
