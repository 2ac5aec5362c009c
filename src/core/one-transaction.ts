// A SQL file runs in one transaction together with its row in the ledger: what in its text would end that
// transaction, cannot run inside one, or is a command of psql.
import { type Token, statementsOf } from './sql-tokens.ts';

/** Said by psql alone, without any effect. */
const HARMLESS = /^\\(?:echo|qecho|warn|restrict|unrestrict)\b/u;
const ENDS = ['begin', 'start', 'commit', 'end', 'abort', 'rollback', 'prepare'];
const ALONE =
  /^(?:vacuum|create database|drop database|create tablespace|drop tablespace|alter system|discard all)\b/u;
const CONCURRENTLY =
  /^(?:create (?:unique )?index concurrently|drop index concurrently|reindex .*concurrently|alter table .*detach .*concurrently)\b/u;

/** Files of tools that keep both ways in one: the marks of their sections. */
const SECTIONS: readonly (readonly [tool: string, mark: RegExp])[] = [
  ['dbmate', /^[ \t]*--[ \t]*migrate:(?:up|down)\b/mu],
  ['goose', /^[ \t]*--[ \t]*\+goose[ \t]+(?:Up|Down)\b/imu],
  ['sql-migrate', /^[ \t]*--[ \t]*\+migrate[ \t]+(?:Up|Down)\b/imu],
];

/** What stands in the way, e.g. `line 3: COMMIT`; empty where the text is one transaction's. */
export function notInOneTransaction(text: string): readonly string[] {
  const found: string[] = SECTIONS.flatMap(([tool, mark]) => {
    const at = mark.exec(text);
    if (!at) return [];
    const line = text.slice(0, at.index).split('\n').length;
    return [
      `line ${line}: a section of ${tool} (${at[0].trim()}): the whole file would run, its way down as well; ` +
        'put the way down into NAME.down.sql',
    ];
  });
  // The body of a function in standard SQL has statements and an END of its own.
  let inBody = false;
  for (const statement of statementsOf(text)) {
    const [first] = statement;
    if (!first) continue;
    const words = statement.map(({ kind, value }) => (kind === 'word' ? value : '?')).join(' ');
    if (inBody) {
      inBody = words !== 'end';
      continue;
    }
    inBody = /\bbegin atomic\b/u.test(words) && !/\bend$/u.test(words);
    const what = obstacle(first, words);
    if (what) found.push(`line ${text.slice(0, first.start).split('\n').length}: ${what}`);
  }
  return found;
}

function obstacle(first: Token, words: string): string | null {
  if (first.kind === 'meta')
    return first.value.startsWith('\\') && !HARMLESS.test(first.value)
      ? `${first.value.split(/\s/u)[0]}, a command of psql`
      : null;
  if (first.kind !== 'word') return null;
  if (first.value === 'rollback' && /^rollback (?:work |transaction )?to\b/u.test(words)) return null;
  if (first.value === 'prepare' && !words.startsWith('prepare transaction')) return null;
  if (ENDS.includes(first.value)) return first.value.toUpperCase();
  const alone = ALONE.exec(words)?.[0] ?? (CONCURRENTLY.test(words) ? 'CONCURRENTLY' : undefined);
  return alone ? `${alone.toUpperCase()}, which PostgreSQL runs outside transactions only` : null;
}
