// A plan file as commands read it: whole, or every complaint on stderr with exit code 2.
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { asUsage, Problem } from '../client/problem.ts';
import type { Complaint } from '../core/plan/complaint.ts';
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

/** The complaints, and those about secrets in the text. */
export async function withSecrets(
  text: string,
  file: string,
  complaints: readonly Complaint[],
): Promise<readonly Complaint[]> {
  const { secretsIn } = await import('../io/plan-secrets.ts');
  return [...complaints, ...(await secretsIn(text, file, complaints))];
}

/** @throws Problem with all complaints. */
export async function readPlanFile(file: string): Promise<PlanFileRead> {
  const text = await readText(file);
  const parsed = parsePlan(text, file);
  const complaints = await withSecrets(text, file, 'plan' in parsed ? [] : parsed.complaints);
  if ('plan' in parsed && complaints.length === 0) return { plan: parsed.plan, text, name: basename(file) };
  throw new Problem(
    'usage',
    [`${file} is not a valid plan`, ...complaints.map(renderComplaint)].join('\n'),
    'correct it; see docs/plan.md',
  );
}
