// All checks in order, none skipped because another failed. The last line counts them. `--all` adds the long
// tests; other arguments go to vitest.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checks, interrupted, runChecks } from './check.mjs';
import { cacheRoot } from './parts/cache.mjs';
import { checkout, inCheckout, readJson } from './parts/checkout.mjs';
import { handOver } from './parts/hand-over.mjs';
import { nodeRuntime } from './parts/node-runtime.mjs';
import { filesToRunAgain, withSecondRun } from './run-again.mjs';

process.chdir(checkout);
// Some hundred processes of the same code: stripped of types and compiled once (bin/soakgate.mjs).
process.env.NODE_COMPILE_CACHE ||= join(cacheRoot(), 'compiled');
const node = nodeRuntime.find()?.path ?? process.execPath;
const packaged = (...path) => inCheckout('node_modules', ...path);
const everyCheck = [...checks];

const folder = mkdtempSync(join(tmpdir(), 'soakgate-test-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

/** A file that could not be loaded, or a vitest that died, is a failure although no test of it is counted. */
async function runVitest(args, name = 'report.json') {
  const report = join(folder, name);
  const program = [
    packaged('vitest', 'vitest.mjs'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ];
  const code = await handOver(node, [...program, ...args]);
  if (interrupted(code)) process.exit(code);
  return { ...tally(code, readJson(report)), code, report };
}

/** Hours of tests on real parts: what failed beside the others is asked once more, alone. */
async function runAll() {
  const first = await runVitest([]);
  const files = filesToRunAgain(readJson(first.report));
  if (files.length === 0) return first;
  console.log(`\n— again, alone: ${files.length === 1 ? '1 file' : `${files.length} files`} that failed`);
  const second = await runVitest(['--maxWorkers=1', ...files], 'again.json');
  const both = withSecondRun(readJson(first.report), readJson(second.report) ?? { testResults: [] });
  writeFileSync(first.report, JSON.stringify(both.report));
  for (const test of both.unsteady) console.log(`unsteady: failed beside the others, passed alone: ${test}`);
  return { ...tally(second.code, both.report), report: first.report };
}

/** What the tests showed of the runbooks; only a whole run says it of every line. */
async function writeRunbooks(report) {
  const check = {
    name: 'runbooks',
    mend: 'read docs/runbooks.md, which is as the tests showed, and commit it',
  };
  everyCheck.push(check);
  console.log(`\n— ${check.name}`);
  return (await handOver(node, [inCheckout('scripts', 'runbooks.ts'), report])) === 0 ? [] : [check];
}

function tally(code, report) {
  const files = report?.testResults ?? [];
  const tests = files.flatMap((file) => file.assertionResults);
  const count = (...statuses) => tests.filter((test) => statuses.includes(test.status)).length;
  const unloaded = files.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  const failed = count('failed') + unloaded.length;
  return {
    ran: count('passed', 'failed') > 0,
    passed: count('passed'),
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: tests.filter((test) => !['passed', 'failed'].includes(test.status)).map((test) => test.fullName),
  };
}

const given = process.argv.slice(2);
const all = given.length === 1 && given[0] === '--all';
const short = given.length === 0;

const failedChecks = await runChecks();
console.log('\n— tests');
const SHORT = ['--project', 'unit', '--project', 'whole'];
const tests = all ? await runAll() : await runVitest(short ? SHORT : given);
if (all) failedChecks.push(...(await writeRunbooks(tests.report)));

for (const check of failedChecks) console.log(`${check.name} failed: ${check.mend}`);
if (tests.skipped.length > 0)
  console.log(`${tests.skipped.length} not run, so not proven: ${tests.skipped.slice(0, 10).join(' · ')}`);
if (!tests.ran) console.log('no test ran');
if (short)
  console.log(
    'the long tests did not run (whole deployments, Django, each failure at each call): npm test -- --all',
  );
const failed = tests.failed + failedChecks.length;
console.log(`${tests.passed + everyCheck.length - failedChecks.length} passed, ${failed} failed`);
process.exitCode = failed > 0 || !tests.ran ? 1 : 0;
