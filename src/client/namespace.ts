// A signature counts in one namespace of Temporal: deployments of one name may run in several.
import type { Signed } from '../core/messages.ts';
import type { Connected } from './connection.ts';
import { Problem } from './problem.ts';

/** @throws Problem when it is signed for another namespace than the one that it would be sent to. */
export function forThisNamespace(
  { namespace }: Connected,
  { message, body }: Signed<{ readonly namespace: string }>,
): void {
  if (body.namespace !== namespace)
    throw new Problem(
      'usage',
      `this ${message} is signed for Temporal's namespace ${body.namespace}, and would be sent to ${namespace}`,
      `set TEMPORAL_NAMESPACE=${namespace} and sign again, or send it where it belongs`,
    );
}
