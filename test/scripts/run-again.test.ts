// The second run of CI: it excuses what passes alone, by name, and nothing else.
import { expect, test } from 'vitest';
import { filesToRunAgain, withSecondRun } from '../../scripts/run-again.mjs';

const file = (name: string, tests: Readonly<Record<string, string>>, status?: string) => ({
  name,
  status: status ?? (Object.values(tests).includes('failed') ? 'failed' : 'passed'),
  assertionResults: Object.entries(tests).map(([fullName, result]) => ({ fullName, status: result })),
});
const report = (...testResults: readonly ReturnType<typeof file>[]) => ({ testResults });

test('only files that failed run again, one that could not be loaded too', () => {
  const first = report(file('a', { one: 'passed' }), file('b', { two: 'failed' }), file('c', {}, 'failed'));
  expect(filesToRunAgain(first)).toEqual(['b', 'c']);
  expect(filesToRunAgain(report(file('a', { one: 'passed' })))).toEqual([]);
  expect(filesToRunAgain(undefined)).toEqual([]);
});

test('four files that failed are no accident', () => {
  const failing = ['a', 'b', 'c', 'd'].map((name) => file(name, { one: 'failed' }));
  expect(filesToRunAgain(report(...failing))).toEqual([]);
  expect(filesToRunAgain(report(...failing.slice(1)))).toEqual(['b', 'c', 'd']);
});

test('what passes alone is named as unsteady; what fails twice, or was not run again, has failed', () => {
  const first = report(
    file('a', { steady: 'passed' }),
    file('b', { slow: 'failed', wrong: 'failed', other: 'passed' }),
    file('c', { died: 'failed' }),
  );
  const second = report(file('b', { slow: 'passed', wrong: 'failed', other: 'passed' }));
  const { report: both, unsteady } = withSecondRun(first, second);
  expect(unsteady).toEqual(['slow']);
  expect(both).toEqual(report(first.testResults[0]!, second.testResults[0]!, first.testResults[2]!));
});

test('a file that passed at first and now fails is as the second run shows it', () => {
  const first = report(file('a', { one: 'failed', two: 'passed' }));
  const second = report(file('a', { one: 'passed', two: 'failed' }));
  expect(withSecondRun(first, second).report).toEqual(second);
});
