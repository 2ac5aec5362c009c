// Which files of the release a plan names: reviewed, hashed at the pinned commit, compared in the checkout.
import { filesRead } from './monitors/facts.ts';
import type { Plan } from './plan.ts';
import { filesOfStep } from './steps/facts.ts';

/** Paths relative to the checkout, each once. */
export function planFiles(plan: Plan): readonly string[] {
  const monitors = Object.values(plan.monitors).flatMap(({ read }) => filesRead(read));
  const lock = plan.release.lock === undefined ? [] : [plan.release.lock];
  return [...new Set([...monitors, ...plan.steps.flatMap(filesOfStep), ...lock])].sort();
}
