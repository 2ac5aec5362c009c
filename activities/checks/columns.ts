// Columns: existence, type, nullability, default, from the catalog.
import { count } from '../../src/core/count.ts';
import { quoteTable, withSession } from '../../src/io/postgres.ts';
import type { CheckSpec } from '../../src/core/plan/steps/check.ts';
import type { StepResult } from '../frame/receipt.ts';
import type { Work } from '../frame/step-context.ts';

type Expected = Extract<CheckSpec, { columns: unknown }>['columns'][number];
interface Found {
  readonly type: string;
  readonly nullable: boolean;
  readonly default: string | null;
}

export async function checkColumns(work: Work, expectations: readonly Expected[]): Promise<StepResult> {
  const lines = await withSession(work.url, work.tag, async (session) => {
    const judged: { ok: boolean; text: string }[] = [];
    for (const expected of expectations) {
      const [found] = await session.query<Found>(
        `select format_type(a.atttypid, a.atttypmod) as type, not a.attnotnull as nullable,
          pg_get_expr(d.adbin, d.adrelid) as default
         from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
         where a.attrelid = to_regclass($1) and a.attname = $2 and not a.attisdropped`,
        [quoteTable(expected.table), expected.column],
      );
      judged.push(judge(expected, found));
    }
    return judged;
  });
  const bad = lines.filter((line) => !line.ok);
  return {
    verdict: bad.length === 0 ? 'pass' : 'fail',
    summary: `${lines.length - bad.length} of ${count(lines.length, 'column')} as expected`,
    details: (bad.length > 0 ? bad : lines).map((line) => line.text),
  };
}

function judge(expected: Expected, found: Found | undefined): { ok: boolean; text: string } {
  const name = `${expected.table}.${expected.column}`;
  if (!found) return { ok: false, text: `${name} is missing` };
  const wrong = [
    expected.type !== undefined &&
      expected.type !== found.type &&
      `type ${found.type}, expected ${expected.type}`,
    expected.nullable !== undefined &&
      expected.nullable !== found.nullable &&
      (found.nullable ? 'takes null' : 'refuses null'),
    expected.default !== undefined &&
      expected.default !== (found.default ?? '') &&
      `default ${found.default ?? 'none'}, expected ${expected.default}`,
  ].filter((text) => text !== false);
  return { ok: wrong.length === 0, text: `${name}: ${wrong.length === 0 ? found.type : wrong.join(', ')}` };
}
