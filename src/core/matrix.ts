// The decision matrix: the first line that fits a symptom decides what happens next.
import type { Fallback, Severity, Symptom, When } from './plan/plan.ts';
import type { Receipt } from './receipts.ts';
import type { Step, StepList } from './step-list.ts';

/** Something that went wrong, as facts. */
export type Trouble =
  | { readonly step: string; readonly is: 'fail' | 'error' | 'inconclusive'; readonly index: number }
  | {
      readonly monitor: string;
      readonly metric: string;
      /** `error` of the monitor `any`: nothing could be read at all. */
      readonly is: 'alert' | 'inconclusive' | 'error';
      readonly lastedMs: number;
    }
  | { readonly fallback: string; readonly is: 'fail' };

/** What to do about it. */
export type Decision =
  | {
      readonly do: 'continue' | 'freeze';
      readonly severity: Severity;
      readonly row: string;
      /** Nothing is let pass by it: the soak waits until it is over. */
      readonly waits?: true;
    }
  | { readonly do: 'stop'; readonly severity: Severity; readonly row: string }
  | {
      readonly do: 'fallback';
      readonly name: string;
      readonly fallback: Fallback;
      readonly severity: Severity;
      readonly row: string;
    }
  | {
      readonly do: 'ask';
      readonly ask: readonly string[];
      readonly unanswered?: { readonly afterMs: number; readonly do: string };
      readonly severity: Severity;
      readonly row: string;
    };

/** The first line of the matrix that fits; a plan without a fitting line stops (rule 1). */
export function decide(list: StepList, trouble: Trouble): Decision {
  const row = list.matrix.find((candidate) => fits(list, candidate.when, trouble));
  // A silent monitor can never pass the soak; it is acted on only where the matrix says `is: inconclusive`.
  if (!row && 'monitor' in trouble && trouble.is === 'inconclusive')
    return { do: 'continue', severity: 'low', row: 'inconclusive: the soak cannot pass', waits: true };
  // Whoever cannot look knows nothing about the target: nobody but people, or a line that names it, undoes a
  // rollout for that.
  if (!row && 'monitor' in trouble && trouble.is === 'error')
    return {
      do: 'ask',
      ask: ['retry', 'stop', ...rollbacksOf(list)],
      severity: 'high',
      row: 'the monitors cannot be read: people decide',
    };
  if (!row) return { do: 'stop', severity: 'critical', row: 'no line of the decision matrix matches: stop' };
  const about = {
    severity: row.severity,
    row: `${whenText(row.when)}: ${row.do ?? `ask ${row.ask?.join(' | ')}`}`,
  };
  if (row.ask)
    return { do: 'ask', ask: row.ask, ...(row.unanswered && { unanswered: row.unanswered }), ...about };
  return answer(list, row.do ?? 'stop', about.severity, about.row);
}

/** The fallbacks that roll back, by name; a forward fix does not. */
export const rollbacksOf = ({ fallbacks }: Pick<StepList, 'fallbacks'>): readonly string[] =>
  Object.entries(fallbacks).flatMap(([name, fallback]) => ('forward' in fallback ? [] : [name]));

/** Names of the fallbacks that restore the backup, and so lose what was written since. */
export const restoringFallbacks = ({ fallbacks }: Pick<StepList, 'fallbacks'>): readonly string[] =>
  Object.entries(fallbacks).flatMap(([name, fallback]) => ('restore' in fallback ? [name] : []));

/** What a step's receipt asks of people, whatever the matrix says: rows that only they may decide. */
export function peopleDecide(step: Step, receipt: Receipt): Decision | null {
  const figure = (name: string) => Number(receipt.figures?.[name] ?? 0);
  if (
    step.kind !== 'checkData' ||
    receipt.kind !== 'checkData' ||
    figure('people') === 0 ||
    figure('none') > 0
  )
    return null;
  const words = Object.values((step.spec['peopleDecide'] ?? {}) as Record<string, readonly string[]>).flat();
  return {
    do: 'ask',
    ask: [...new Set([...words, 'stop'])],
    severity: 'medium',
    row: 'people decide about these rows',
  };
}

/** A word of the matrix or of a person's decision, as a decision. */
export function answer(list: StepList, word: string, severity: Severity, row: string): Decision {
  if (word === 'continue' || word === 'freeze' || word === 'stop') return { do: word, severity, row };
  const fallback = list.fallbacks[word];
  return fallback
    ? { do: 'fallback', name: word, fallback, severity, row }
    : { do: 'stop', severity: 'critical', row: `${row} (no fallback ${word}: stop)` };
}

function fits(list: StepList, when: When, trouble: Trouble): boolean {
  if (when === 'rest') return !('monitor' in trouble && trouble.is !== 'alert');
  if ('before' in when) return 'step' in trouble && trouble.index < firstIndex(list, when.before);
  if ('fallback' in when) return 'fallback' in trouble && trouble.fallback === when.fallback;
  if ('step' in when)
    return (
      'step' in trouble &&
      named(when.step, trouble.step) &&
      symptomFits(when.is, trouble.is, ['fail', 'error'])
    );
  if (!('monitor' in trouble)) return false;
  const sameMonitor =
    when.monitor === 'any' ||
    trouble.monitor === 'any' ||
    when.monitor === trouble.monitor ||
    when.monitor === `${trouble.monitor}/${trouble.metric}`;
  return sameMonitor && symptomFits(when.is, trouble.is, ['alert']) && trouble.lastedMs >= (when.forMs ?? 0);
}

/**
 * A plan step that was compiled into several lines (`data`, `data: fix`, `restart web`) answers to its
 * written name.
 */
function named(written: string, compiled: string): boolean {
  return (
    written === 'any' ||
    compiled === written ||
    compiled.startsWith(`${written}: `) ||
    compiled.startsWith(`${written} `)
  );
}

function firstIndex(list: StepList, name: string): number {
  return list.steps.find((step) => named(name, step.name))?.index ?? -1;
}

function symptomFits(wanted: Symptom | undefined, is: Symptom, fallback: readonly Symptom[]): boolean {
  return wanted ? wanted === is : fallback.includes(is);
}

function whenText(when: When): string {
  if (when === 'rest') return 'rest';
  return Object.entries(when)
    .map(([key, value]) => `${key} ${String(value)}`)
    .join(', ');
}
