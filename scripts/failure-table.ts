// docs/failures.md, from the table of failure codes; written by `npm run generate`.
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
    'A step that could not be done ends with one of these codes. Verdicts (`fail`, `inconclusive`) ' +
      'are not failures: they are answers.',
    '"Retried" says whether Temporal runs the same activity again by itself. Generated from ' +
      '`src/core/failures.ts` by `npm run generate`.',
    '',
    '| code | meaning | retried | what to do |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
