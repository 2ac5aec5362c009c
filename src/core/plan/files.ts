// Which files of the release a plan names: reviewed, hashed at the pinned commit, compared in the checkout.
import type { Plan } from './plan.ts';

/** Paths relative to the checkout, each once. */
export function planFiles(plan: Plan): readonly string[] {
  const monitors = Object.values(plan.monitors).flatMap(({ read }) =>
    'sql' in read ? [read.sql] : 'counters' in read ? [read.counters] : [],
  );
  const flows = plan.steps.flatMap((step) => ('flows' in step ? [step.flows] : []));
  const lock = plan.release.lock === undefined ? [] : [plan.release.lock];
  const golden = plan.steps.flatMap((step) =>
    'check' in step &&
    'sql' in step.check &&
    typeof step.check.returns === 'object' &&
    'golden' in step.check.returns
      ? [step.check.returns.golden]
      : [],
  );
  return [...new Set([...monitors, ...flows, ...lock, ...golden])].sort();
}
