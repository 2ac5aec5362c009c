// The rows that a rule finds, by key, in sets that one transaction can change.
import type { RowRule } from '../../src/core/plan/steps/data.ts';
import { quoteName, quoteText, type Session } from '../../src/io/postgres.ts';
import { keyIsAmong, type TableShape } from './table-shape.ts';

/** Rows that one transaction changes. */
const SET = 10_000;
const CURSOR = quoteName('soakgate found');

/**
 * Conditions on the table aliased `t`, one for each set, in the order of the keys: `t."id" = any (…)`. The table
 * is read once, before the first; the keys wait in the server, not here.
 */
export async function* foundSets(session: Session, rule: RowRule, shape: TableShape): AsyncGenerator<string> {
  const keys = shape.key.map((_, at) => `k${at}`);
  const texts = shape.key.map(({ name }, at) => `t.${quoteName(name)}::text as k${at}`);
  const order = shape.key.map(({ name }) => `t.${quoteName(name)}`).join(', ');
  await session.one(
    `declare ${CURSOR} no scroll cursor with hold for
      select ${keys.map((key) => `array_agg(${key})::text as ${key}`).join(', ')} from (
        select ${texts.join(', ')}, (row_number() over (order by ${order}) - 1) / ${SET} as page
        from ${shape.quoted} t where (
${rule.bad}
        )) found group by page order by page`,
  );
  try {
    for (;;) {
      const [set] = await session.query<Record<string, string>>(`fetch 1 from ${CURSOR}`);
      if (!set) return;
      yield keyIsAmong(
        shape,
        keys.map((key) => `${quoteText(set[key]!)}::text[]`),
      );
    }
  } finally {
    await session.query(`close ${CURSOR}`).catch(() => undefined);
  }
}
