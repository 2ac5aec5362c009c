// SQL that sets the limits of its own session (every file of pg_dump begins with that): told to people. They
// hold all the same, by whoever watches the session: a text cannot show what its functions set.
import { statementsOf, type Token } from './sql-tokens.ts';

const LIMITS = /\b(?:lock_timeout|statement_timeout)\b/giu;

/** One line, with what holds, where the text names a limit or resets all of them; none where it does not. */
export function ownLimits(name: string, text: string, holds: string): readonly string[] {
  const found = statementsOf(text).flatMap((statement) => limitsIn(text, statement));
  if (found.length === 0) return [];
  const named = [...new Set(found.map(({ limit }) => limit))].map((limit) => {
    const lines = [...new Set(found.filter((one) => one.limit === limit).map(({ line }) => line))];
    return `${limit} (line${lines.length === 1 ? '' : 's'} ${lines.join(', ')})`;
  });
  return [`${name} names ${named.join(', ')}: whatever it sets, ${holds}`];
}

/** Also within texts: the body of a function or of a DO is one. */
function limitsIn(text: string, statement: readonly Token[]) {
  const [first, second] = statement;
  const lineAt = (at: number) => text.slice(0, at).split('\n').length;
  if (first?.value === 'reset' && second?.value === 'all')
    return [{ limit: 'RESET ALL', line: lineAt(first.start) }];
  return statement
    .filter(({ kind }) => kind !== 'mark' && kind !== 'meta')
    .flatMap(({ start, end }) =>
      [...text.slice(start, end).matchAll(LIMITS)].map(({ 0: limit, index }) => ({
        limit: limit.toLowerCase(),
        line: lineAt(start + index),
      })),
    );
}
