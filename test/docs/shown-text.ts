// Every text that a user can see: pages, help, schema, and the sentences in the code.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { wholeTexts } from './whole-texts.ts';

const root = join(import.meta.dirname, '../..');

/** A text, and where it stands: `file:line`. */
export interface ShownText {
  readonly at: string;
  readonly text: string;
}

const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const files = (...patterns: readonly string[]): readonly string[] =>
  patterns.flatMap((pattern) => globSync(pattern, { cwd: root })).toSorted();

/** README, docs and the pages of the examples, line by line; the runbooks page quotes the names of tests. */
export function shownPages(): readonly ShownText[] {
  const pages = files('*.md', 'docs/**/*.md', 'examples/*/README.md').filter(
    (file) => file !== 'docs/runbooks.md' && file !== 'CHANGELOG.md',
  );
  return pages.flatMap((file) =>
    read(file)
      .split('\n')
      .map((text, at) => ({ at: `${file}:${at + 1}`, text })),
  );
}

/** Sentences in the code: string and template literals with a space in them, without comments and imports. */
export function shownSentences(): readonly ShownText[] {
  const sources = files('src/**/*.ts', 'workflows/**/*.ts', 'activities/**/*.ts', 'worker/**/*.ts');
  return sources.flatMap((file) =>
    literals(wholeTexts(read(file)))
      .filter(({ text }) => /\S \S/u.test(text))
      .map(({ line, text }) => ({ at: `${file}:${line}`, text })),
  );
}

const PIECES =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|(?<=[(,=:[!&|?{};\n]\s*)\/(?![/*])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/gu;

/** A template counts as one text, with its expressions in it. */
function literals(source: string): readonly { readonly line: number; readonly text: string }[] {
  return [...source.matchAll(PIECES)]
    .filter(([piece]) => /^['"`]/u.test(piece))
    .map((match) => ({
      line: source.slice(0, match.index).split('\n').length,
      text: match[0].slice(1, -1).replaceAll(/\$\{[^}]*\}/gu, '…'),
    }));
}
