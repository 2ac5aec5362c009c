// Workflow code with two faults that ours must not have: a rollout fails on a certain signal, and one of a
// certain name never begins.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The signal `POISON` with this content fails the workflow. */
export const POISON = 'poison';
/** A rollout of a deployment with such a name completes no workflow task. */
export const NEVER_BEGINS = 'never-begins';

const faults: readonly (readonly [good: RegExp, bad: string])[] = [
  [
    /setDefaultSignalHandler\)\(\(\)\s*=>\s*countMalformed\(progress\)\)/u,
    `setDefaultSignalHandler)((name) => {
      if (name === '${POISON}') throw _temporalio_common__WEBPACK_IMPORTED_MODULE_0__.ApplicationFailure.nonRetryable('poisoned');
      countMalformed(progress);
    })`,
  ],
  [
    /async function rollout\(input\) \{/u,
    `async function rollout(input) {
      if (input?.run?.rollout?.deployment?.startsWith('${NEVER_BEGINS}')) throw new Error('it never begins');`,
  ],
];

/** Workers that `open` makes run the faulty code. */
export async function withFaultyWorkflows<T>(open: () => Promise<T>): Promise<T> {
  const whole = process.env['SOAKGATE_WORKFLOW_BUNDLE']!;
  let code = await readFile(whole, 'utf8');
  for (const [good, bad] of faults) {
    if (!good.test(code)) throw new Error(`the bundle does not hold ${String(good)}`);
    code = code.replace(good, () => bad);
  }
  const folder = await mkdtemp(join(tmpdir(), 'sg-faulty-'));
  const faulty = join(folder, 'workflows.js');
  await writeFile(faulty, code);
  process.env['SOAKGATE_WORKFLOW_BUNDLE'] = faulty;
  try {
    return await open();
  } finally {
    process.env['SOAKGATE_WORKFLOW_BUNDLE'] = whole;
    await rm(folder, { recursive: true });
  }
}
