// A plan file as commands read it: whole, or every complaint on stderr with exit code 2.
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { asUsage, Problem } from '../client/problem.ts';
import { parsePlan, renderComplaint } from '../core/plan/parse.ts';
import type { Plan } from '../core/plan/plan.ts';

export interface PlanFileRead {
  readonly plan: Plan;
  readonly text: string;
  /** Without folders: it goes into what is signed. */
  readonly name: string;
}

export const readText = (file: string): Promise<string> =>
  asUsage(() => readFile(file, 'utf8'), 'name the plan file, e.g. soakgate.yaml');

/** @throws Problem with all complaints. */
export async function readPlanFile(file: string): Promise<PlanFileRead> {
  const text = await readText(file);
  const parsed = parsePlan(text, file);
  if ('plan' in parsed) return { plan: parsed.plan, text, name: basename(file) };
  throw new Problem(
    'usage',
    [`${file} is not a valid plan`, ...parsed.complaints.map(renderComplaint)].join('\n'),
    'correct it; see docs/plan.md',
  );
}
