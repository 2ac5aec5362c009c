// What a look at the target can say, and how several looks combine.

/** `inconclusive`: not enough data. `error`: it could not be asked. Neither is ever a pass (rule 1). */
export type Verdict = 'pass' | 'fail' | 'inconclusive' | 'error';

const weight: Record<Verdict, number> = { pass: 0, inconclusive: 1, error: 2, fail: 3 };

/** The worst of the verdicts; nothing at all is `inconclusive`. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.length === 0) return 'inconclusive';
  return verdicts.reduce((a, b) => (weight[b] > weight[a] ? b : a));
}
