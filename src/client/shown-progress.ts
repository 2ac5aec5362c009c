// A workflow's progress as people and programs are answered it: its data, and the sentence and command that
// belong to it.
import { nextCommand, waitingText, waitingTextOfAll } from '../core/waiting.ts';
import type { Progress } from '../../workflows/progress.ts';

export interface ShownProgress extends Progress {
  /** The sentence for `waiting`, or null. */
  readonly waitingFor: string | null;
  /** What to type next, without `--as`; or null. */
  readonly next: string | null;
}

export function shownProgress(progress: Progress): ShownProgress {
  const { of, waiting, deployment } = progress;
  const [first] = waiting;
  const own = first ? waitingText(first) : null;
  return {
    ...progress,
    waitingFor: of === 'deployment' ? waitingTextOfAll(waiting) : own,
    next: nextCommand(waiting, deployment),
  };
}
