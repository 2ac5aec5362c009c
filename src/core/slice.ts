// How long one `observe` activity watches: ten minutes at first, then an hour, so that a week is about 1,050
// events.
import { paced } from './pace.ts';
import type { StepList } from './step-list.ts';

const FIRST_MS = 600_000;
const LATER_MS = 3_600_000;
const FIRST_SLICES = 6;
const LEAST_CADENCES = 8;

/** Real milliseconds of slice `number` (from 0). */
export function sliceMs(list: StepList, phase: 'soak' | 'watch', number: number): number {
  const everyMs = list.environment[phase]?.everyMs ?? 0;
  return Math.max(paced(number < FIRST_SLICES ? FIRST_MS : LATER_MS, list.pace), LEAST_CADENCES * everyMs);
}
