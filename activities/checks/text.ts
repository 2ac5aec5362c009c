// A report for people, read by named groups: no place that fits is no answer, and never a pass (rule 1).
import type { TextReport } from '../../src/core/plan/steps/check.ts';
import { outside } from '../../src/core/soak.ts';
import type { StepResult } from '../frame/receipt.ts';

/** Judges each group by its threshold, or by the words it must be. */
export function judgeText(printed: string, { pattern, groups }: TextReport): StepResult {
  const found = new RegExp(pattern, 'mu').exec(printed)?.groups;
  if (!found) return { verdict: 'inconclusive', summary: `nothing it printed fits /${pattern}/` };
  const judged = Object.entries(groups).map(([group, wanted]) => ({
    group,
    ...judgeGroup(found[group], wanted),
  }));
  const bad = judged.filter(({ verdict }) => verdict !== 'pass');
  return {
    verdict: bad.some(({ verdict }) => verdict === 'fail')
      ? 'fail'
      : bad.length > 0
        ? 'inconclusive'
        : 'pass',
    summary: judged.map(({ group, text }) => `${group} ${text}`).join(', '),
    details: bad.map(({ group, text, wanted }) => `${group} is ${text}, wanted ${wanted}`),
    figures: Object.fromEntries(
      judged.flatMap(({ group, value }) => (value === null ? [] : [[group, value]])),
    ),
  };
}

type Wanted = TextReport['groups'][string];

function judgeGroup(raw: string | undefined, wanted: Wanted) {
  const text = raw ?? 'not there';
  if (typeof wanted === 'string')
    return { text, wanted, value: null, verdict: raw === wanted ? 'pass' : 'fail' } as const;
  const value = raw === undefined || raw.trim() === '' ? Number.NaN : Number(raw.replaceAll(',', ''));
  if (Number.isNaN(value))
    return { text, wanted: wanted.text, value: null, verdict: 'inconclusive' } as const;
  return {
    text,
    wanted: wanted.text,
    value,
    verdict: outside(wanted, value, undefined, 'objective') ? 'fail' : 'pass',
  } as const;
}
