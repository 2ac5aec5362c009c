// One cancellation scope for each phase: it is cancelled by what has happened, not by whoever holds a handle
// on it.
import { CancellationScope, condition } from '@temporalio/workflow';

/**
 * Runs a phase; as soon as `over` holds its scope is cancelled. @throws CancelledFailure when the phase does
 * not end by itself then.
 */
export async function runUntil<T>(over: () => boolean, phase: () => Promise<T>): Promise<T> {
  const scope = new CancellationScope({ cancellable: true });
  const watch = new CancellationScope({ cancellable: true });
  void watch
    .run(() => condition(over))
    .then(
      () => scope.cancel(),
      // The phase has ended first, or everything around it is cancelled.
      () => undefined,
    );
  try {
    return await scope.run(phase);
  } finally {
    watch.cancel();
  }
}
