// A small plan in YAML, whole and right, and the same with parts of its text replaced.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Complaint, parsePlan } from '../../../src/core/plan/parse.ts';
import type { Plan } from '../../../src/core/plan/plan.ts';

export const smallPlan: string = readFileSync(
  fileURLToPath(new URL('../../fixtures/small-plan.yaml', import.meta.url)),
  'utf8',
);

export type Edit = readonly [from: string, to: string];

/** The text with each `from` replaced once; a `from` that is not there is a mistake of the test. */
export function edited(text: string, ...edits: readonly Edit[]): string {
  return edits.reduce((current, [from, to]) => {
    if (!current.includes(from)) throw new Error(`the plan does not hold ${from}`);
    return current.replace(from, () => to);
  }, text);
}

export function planOf(text: string): Plan {
  const result = parsePlan(text, 'plan.yaml');
  if ('plan' in result) return result.plan;
  throw new Error(
    result.complaints.map(({ line, path, message }) => `${line} ${path}: ${message}`).join('\n'),
  );
}

export function complaintsOf(text: string): readonly Complaint[] {
  const result = parsePlan(text, 'plan.yaml');
  return 'plan' in result ? [] : result.complaints;
}
