// The rows of the copy that would violate what the migrations add: all of them, where PostgreSQL's error
// names the first constraint only.
import { type AddedConstraint, addedConstraints } from '../../src/core/added-constraints.ts';
import { quoteName, serverError, type Session, withSession } from '../../src/io/postgres.ts';
import { keyText, tableShape } from './table-shape.ts';
import type { Work } from '../frame/step-context.ts';

export interface Violations {
  /** One for each constraint that rows would violate. */
  readonly would: readonly string[];
  /**
   * What rows violate now, though the migrations may change them first; what was asked, and what could not
   * be.
   */
  readonly notes: readonly string[];
  readonly figures: { readonly violating: number; readonly notForecast: number };
}

interface Count {
  readonly rows: number;
  readonly line: string;
}

const EXAMPLES = 5;
const TIMEOUT_MS = 300_000;
const reasons: Readonly<Record<string, string>> = {
  '42703': 'its column does not exist yet',
  '42P01': 'its table does not exist yet',
  '57014': 'counting it took too long',
};

/** Counts, in the database at `url` and without changing it, the rows that violate what `sql` adds. */
export async function countViolations(
  work: Pick<Work, 'tag' | 'signal' | 'progress'>,
  url: string,
  sql: string,
  timeoutMs = TIMEOUT_MS,
): Promise<Violations> {
  const { constraints, notForecast } = addedConstraints(sql);
  const unknown = notForecast.map(({ what, why }) => `not forecast ${what}: ${why}`);
  const would: Count[] = [];
  const mayChange: Count[] = [];
  await withSession(url, work.tag, async (session) => {
    // Names and times are to mean what they mean to the migrations' own session.
    await session.query('reset all');
    await session.query('begin transaction read only');
    await session.query(`set local statement_timeout = ${timeoutMs}`);
    for (const added of constraints) {
      work.signal.throwIfAborted();
      work.progress(`rehearsal: rows that would violate ${added.constraint}`);
      const found = await inSavepoint(session, () => count(session, added));
      if (typeof found === 'string')
        unknown.push(`not forecast ${added.constraint} on ${added.table}: ${found}`);
      else if (found.rows > 0) (added.rowsChangeFirst ? mayChange : would).push(found);
    }
    await session.query('rollback');
  });
  const asked = constraints.length - (unknown.length - notForecast.length);
  return {
    would: would.map(({ line }) => `would violate ${line}`),
    notes: [
      ...mayChange.map(
        ({ line }) => `violate now, but the migrations may change rows before they add it: ${line}`,
      ),
      ...(asked > 0
        ? [
            `asked for ${asked} added constraints: ${would.length + mayChange.length} are violated ` +
              'by rows of the copy',
          ]
        : []),
      ...unknown,
    ],
    figures: { violating: would.reduce((sum, { rows }) => sum + rows, 0), notForecast: unknown.length },
  };
}

/** What could not be asked leaves the transaction as it was. */
async function inSavepoint<T>(session: Session, ask: () => Promise<T>): Promise<T | string> {
  await session.query('savepoint asked');
  try {
    return await ask();
  } catch (error) {
    const said = serverError(error);
    if (!said) throw error;
    await session.query('rollback to savepoint asked');
    return reasons[said.code] ?? `${said.message} (${said.code})`;
  }
}

async function count(
  session: Session,
  { constraint, table, from, condition }: AddedConstraint,
): Promise<Count> {
  const violating = `from (select * from ${from} where ${condition}) t`;
  // The value makes it a prepared statement, which PostgreSQL takes only where it is a single one.
  const [total] = await session.query<{ rows: string }>(
    `select count(*) as rows ${violating} where $1::bool`,
    [true],
  );
  const rows = Number(total?.rows ?? 0);
  const [place] = await session.query<{ name: string }>(
    `select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n
      on n.oid = c.relnamespace where c.oid = to_regclass($1)`,
    [table],
  );
  const name = place?.name ?? table;
  const examples = rows > 0 ? await exampleKeys(session, name, violating, rows) : '';
  return { rows, line: `${constraint} on ${name}: ${rows} ${rows === 1 ? 'row' : 'rows'}${examples}` };
}

async function exampleKeys(
  session: Session,
  table: string,
  violating: string,
  rows: number,
): Promise<string> {
  const shape = await tableShape(session, table);
  if (!shape || shape.key.length === 0) return ' (no primary key)';
  const columns = shape.key.map((column) => column.name);
  const keys = await session.query<{ key: string }>(
    `select ${keyText(shape)} as key ${violating}
      order by ${columns.map((column) => `t.${quoteName(column)}`).join(', ')} limit $1`,
    [EXAMPLES],
  );
  return ` (${columns.join('/')} ${keys.map(({ key }) => key).join(', ')}${rows > EXAMPLES ? ', …' : ''})`;
}
