// An attempt whose end is written down before anybody is told of it.
import { cancellationSignal } from '@temporalio/activity';

/** `end` is called with what came of it, null where it threw; an attempt that was cancelled has no end. */
export async function recorded<T>(
  act: () => Promise<T>,
  end: (result: T | null) => Promise<void>,
): Promise<T> {
  let result: T;
  try {
    result = await act();
  } catch (error) {
    if (!cancellationSignal().aborted) await end(null);
    throw error;
  }
  await end(result);
  return result;
}
