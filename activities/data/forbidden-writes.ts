// Forbidden writes: each on one existing row, by SQLSTATE and constraint name, in a transaction that is
// always rolled back.
import { count } from '../../src/core/count.ts';
import type { Json } from '../../src/core/plan/plan.ts';
import type { ForbiddenWrite, ForbiddenWritesSpec } from '../../src/core/plan/steps/forbidden.ts';
import { type Verdict, worst } from '../../src/core/verdict.ts';
import { quoteName, quoteTable, serverError, type Session, withSession } from '../../src/io/postgres.ts';
import type { StepResult } from '../frame/receipt.ts';
import type { Work } from '../frame/step-context.ts';

const LOCK_MS = 1_000;
/** Class 23: integrity constraint violation. */
const INTEGRITY = '23';

export async function forbiddenWrites(work: Work, { writes }: ForbiddenWritesSpec): Promise<StepResult> {
  const results = await withSession(work.url, work.tag, async (session) => {
    const found: { verdict: Verdict; line: string }[] = [];
    for (const write of writes) {
      work.signal.throwIfAborted();
      found.push(await tryWrite(session, write));
    }
    return found;
  });
  const refused = results.filter((result) => result.verdict === 'pass').length;
  return {
    verdict: worst(results.map((result) => result.verdict)),
    summary: `${refused} of ${count(writes.length, 'write')} refused by their constraint`,
    details: results.map((result) => result.line),
    figures: { refused, writes: writes.length },
  };
}

async function tryWrite(
  session: Session,
  write: ForbiddenWrite,
): Promise<{ verdict: Verdict; line: string }> {
  const what = `${write.table} ${JSON.stringify(write.set)}`;
  await session.query('begin');
  try {
    await session.query(`set local lock_timeout = ${LOCK_MS}`);
    const row = await session.query<{ ctid: string }>(
      `select ctid::text from ${quoteTable(write.table)} limit 1 for update skip locked`,
    );
    if (!row[0]) return { verdict: 'inconclusive', line: `${what}: no row to try it on` };
    const columns = Object.entries(write.set);
    const assignments = columns.map(([name], at) => `${quoteName(name)} = $${at + 2}`).join(', ');
    await session.query(`update ${quoteTable(write.table)} set ${assignments} where ctid = $1::tid`, [
      row[0].ctid,
      ...columns.map(([, value]) => asParameter(value)),
    ]);
    await session.query('set constraints all immediate');
    return { verdict: 'fail', line: `${what}: was accepted; ${write.by} should have refused it` };
  } catch (error) {
    return judge(error, write, what);
  } finally {
    await session.query('rollback');
  }
}

function judge(error: unknown, write: ForbiddenWrite, what: string): { verdict: Verdict; line: string } {
  const said = serverError(error);
  if (!said) throw error;
  if (said.code.startsWith(INTEGRITY) && said.constraint === write.by)
    return { verdict: 'pass', line: `${what}: refused by ${write.by} (${said.code})` };
  if (said.code.startsWith(INTEGRITY))
    return {
      verdict: 'fail',
      line: `${what}: refused by ${said.constraint ?? said.message} (${said.code}), expected ${write.by}`,
    };
  return { verdict: 'error', line: `${what}: ${said.message} (${said.code})` };
}

const asParameter = (value: Json): unknown =>
  typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
