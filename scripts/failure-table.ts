// Writes docs/failures.md from the table of failure codes: node scripts/failure-table.ts
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { failures } from '../src/core/failures.ts';

/** The page, as it must stand in docs/failures.md. */
export function failurePage(): string {
  const rows = Object.entries(failures).map(
    ([code, { meaning, retryable, remedy }]) =>
      `| \`${code}\` | ${meaning} | ${retryable ? 'yes' : 'no'} | ${remedy} |`,
  );
  return [
    '# Failures',
    '',
    'A step that could not be done ends with one of these codes. Verdicts (`fail`, `inconclusive`) are not failures: they are answers.',
    '"Retried" says whether Temporal runs the same activity again by itself. Generated from `src/core/failures.ts` by `node scripts/failure-table.ts`.',
    '',
    '| code | meaning | retried | what to do |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(new URL('../docs/failures.md', import.meta.url), failurePage());
