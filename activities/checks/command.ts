// One of the release's own commands: its exit code and, where the plan names them, values of the JSON it prints.
import type { CheckSpec, Json } from '../../src/core/plan/plan.ts';
import { sameJson } from '../../src/core/canonical.ts';
import { valueAt } from '../../src/core/pointer.ts';
import { tail } from '../../src/io/redact.ts';
import type { Outcome } from '../as-step.ts';
import type { Work } from '../work.ts';

/** A check reads: its session is read-only unless the plan says that it changes the database (rule 2). */
export async function checkCommand(work: Work, spec: Extract<CheckSpec, { command: unknown }>): Promise<Outcome> {
  const result = await work.runRelease(spec.command, { readOnly: !spec.changes.includes('database') });
  const words = tail(result.stderr || result.stdout, 2_000)
    .split('\n')
    .filter((line) => line.length > 0);
  if (result.exitCode !== 0)
    return { verdict: result.exitCode === null ? 'error' : 'fail', summary: `ended with ${result.exitCode ?? result.killedBy}`, details: words };
  if (!spec.json) return { verdict: 'pass', summary: `ended with 0 after ${Math.round(result.tookMs)} ms` };
  const document = parseJson(result.stdout);
  if (document === undefined) return { verdict: 'error', summary: 'its output is not JSON', details: words };
  const wrong = Object.entries(spec.json).filter(([pointer, expected]) => !sameJson(valueAt(document, pointer) ?? null, expected));
  return {
    verdict: wrong.length === 0 ? 'pass' : 'fail',
    summary: `${Object.keys(spec.json).length - wrong.length} of ${Object.keys(spec.json).length} values as expected`,
    details: wrong.map(
      ([pointer, expected]) => `${pointer} is ${JSON.stringify(valueAt(document, pointer) ?? null)}, expected ${JSON.stringify(expected)}`,
    ),
  };
}

export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
