// Signed messages: to the deployment that the address names, and answered as the command would say it.
import { failures } from '../core/failures.ts';
import type { Signed } from '../core/messages.ts';
import type { DeploymentClient } from '../client/door.ts';
import { Problem } from '../client/problem.ts';
import type { Sent } from '../client/send.ts';
import { failureIn } from './problems.ts';

/** @throws Problem when it is refused, or is not for this deployment. */
export async function sendSigned(
  door: DeploymentClient,
  deployment: string,
  message: string,
  candidate: unknown,
): Promise<Sent> {
  const signed = candidate as Signed;
  const wrong = [
    ...(signed.message === message
      ? []
      : [`message: it is a ${signed.message}, the address says ${message}`]),
    ...(signed.body.deployment === deployment
      ? []
      : [`body.deployment: it is for ${signed.body.deployment}, the address says ${deployment}`]),
  ];
  if (wrong.length > 0)
    throw new Problem('usage', 'the message does not belong to this address', 'send it where it says', {
      details: wrong,
    });
  // The update waits for a worker longer than Temporal itself is waited for.
  await door.reach();
  const sent = await door.send(signed);
  if (sent.outcome !== 'refused') return sent;
  const failure = failureIn(sent.text);
  const next = failure
    ? failures[failure].remedy
    : `soakgate status ${deployment} shows what the deployment waits for`;
  throw new Problem('not-allowed', sent.text, next, { ...(failure && { failure }) });
}
