// The entrance of a plan: text → the trusted `Plan`, or every complaint at once with its place.
// First what is written (YAML), then its form and its names, and once these stand its meaning (lint).
import type { Complaint, Remark } from './complaint.ts';
import { hintOf, pathText } from './complaint.ts';
import { formRemarks } from './form-remarks.ts';
import { lintPlan } from './lint.ts';
import { nameRemarks } from './references.ts';
import type { Plan } from './plan.ts';
import { planFile } from './schema.ts';
import { secretRemarks } from './secrets.ts';
import { readSource, type Source } from './source.ts';
import { toPlan } from './to-plan.ts';

export { renderComplaint } from './complaint.ts';
export type { Complaint } from './complaint.ts';

const MOST_COMPLAINTS = 100;

/** Reads the text of a plan; `file` is its name in complaints. Never throws. */
export function parsePlan(
  text: string,
  file: string,
): { readonly plan: Plan } | { readonly complaints: readonly Complaint[] } {
  const source = readSource(text);
  const checked = source.whole ? checkFile(source.value, source) : { remarks: [] };
  const remarks = [
    ...source.remarks,
    ...('remarks' in checked ? checked.remarks.filter(notBelow(source.remarks)) : []),
  ];
  if (remarks.length === 0 && 'plan' in checked) return checked;
  return { complaints: placed(remarks, source, file) };
}

/**
 * The same for a plan that did not come from YAML, e.g. one that a program made: JSON in the file's format.
 */
export function checkFile(
  value: unknown,
  source?: Pick<Source, 'writtenAt' | 'holes'>,
): { readonly plan: Plan } | { readonly remarks: readonly Remark[] } {
  const form = formRemarks(planFile, value, (path) => source?.writtenAt(path));
  const named = [...(source?.holes ? [] : nameRemarks(value)), ...secretRemarks(value)].filter(
    notBelow(form),
  );
  if (form.length || named.length) return { remarks: [...form, ...named] };
  const plan = toPlan(planFile.parse(value));
  const remarks = lintPlan(plan);
  return remarks.length ? { remarks } : { plan };
}

/**
 * Keeps what is not at or below one of these; the file as a whole is above nothing, so that a remark on it
 * hides no other.
 */
function notBelow(above: readonly Remark[]): (remark: Remark) => boolean {
  const taken = new Set(above.map(({ path }) => pathText(path)).filter((path) => path !== ''));
  return ({ path }) => !path.some((_, at) => taken.has(pathText(path.slice(0, at + 1))));
}

function placed(
  remarks: readonly (Remark & { readonly offset?: number })[],
  source: Source,
  file: string,
): readonly Complaint[] {
  const sorted = remarks
    .map((remark) => ({
      remark,
      offset: remark.offset ?? source.offsetOf(remark.path, remark.at),
      path: pathText(remark.path),
    }))
    .toSorted((a, b) => a.offset - b.offset || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const complaints = sorted.slice(0, MOST_COMPLAINTS).map(({ remark, offset, path }): Complaint => {
    const hint = hintOf(remark);
    return { file, ...source.position(offset), path, message: remark.message, ...(hint && { hint }) };
  });
  const [next] = sorted.slice(MOST_COMPLAINTS);
  if (!next) return complaints;
  return [
    ...complaints,
    {
      file,
      ...source.position(next.offset),
      path: next.path,
      message: `and ${sorted.length - MOST_COMPLAINTS} complaints more`,
      hint: 'answer these first',
    },
  ];
}
