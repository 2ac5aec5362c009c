// A statement without what it was asked with: texts and numbers are people's data, and many statements differ
// in nothing else.
import { statementsOf, type Token } from './sql-tokens.ts';

const LONGEST = 160;

/**
 * One line, each value a `?`, cut at 160 characters. The server cuts long statements, so an open quote is a
 * value, too.
 */
export function statementShape(sql: string): string {
  const tokens = statementsOf(sql).flat();
  const shape = tokens
    .map((token, index) => `${valueless(token)}${gapAfter(token, tokens[index + 1])}`)
    .join('');
  const listed = shape.replace(/\(\?(?:, ?\?)+\)/gu, '(?, …)');
  return listed.length > LONGEST ? `${listed.slice(0, LONGEST - 1)}…` : listed;
}

function valueless({ kind, value }: Token): string {
  if (kind === 'text' || kind === 'broken' || kind === 'meta' || /^\d/u.test(value)) return '?';
  return value;
}

const gapAfter = (token: Token, next: Token | undefined): string =>
  next && next.start > token.end ? ' ' : '';
