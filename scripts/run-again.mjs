// A file that failed beside the others runs once more, alone: what then passes hung on the machine's speed, and is
// named as unsteady. What fails twice has failed.

/** More files than these fail for a reason that a second run does not change. */
const MOST_FILES = 3;

/** The files to run again, none where the first run passed, died, or failed in too many. */
export function filesToRunAgain(report) {
  const files = (report?.testResults ?? []).filter(({ status }) => status === 'failed');
  return files.length > MOST_FILES ? [] : files.map(({ name }) => name);
}

/** The first report with the second's files in their places, and the tests that failed at first and passed alone. */
export function withSecondRun(first, second) {
  const again = new Map(second.testResults.map((file) => [file.name, file]));
  const passes = (file, fullName) =>
    file.assertionResults.some((test) => test.fullName === fullName && test.status === 'passed');
  const unsteady = first.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(
        ({ fullName, status }) => status === 'failed' && again.has(name) && passes(again.get(name), fullName),
      )
      .map(({ fullName }) => fullName),
  );
  const testResults = first.testResults.map((file) => again.get(file.name) ?? file);
  return { report: { ...first, testResults }, unsteady };
}
