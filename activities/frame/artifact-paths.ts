// Where things lie in the artifact store: derived names, so that any worker finds them after any crash.
import type { Signed, StartBody } from '../../src/core/messages.ts';
import type { RolloutRef } from '../../src/core/ids.ts';

/** Where a deployment's evidence lies in the artifact store. */
export const evidenceFolder = (deployment: string): string => `evidence/${deployment}`;
/** Where a rollout's artifacts (dumps, before-images, metrics) lie. */
export const rolloutFolder = (rollout: RolloutRef): string => `rollouts/${rollout.hash}`;
export const slug = (name: string): string => name.replace(/[^A-Za-z0-9]+/gu, '-');

/** One file for each signed message that counted; the same message twice is the same file. */
export function approvalPath(deployment: string, { message, person, body }: Signed): string {
  return `${evidenceFolder(deployment)}/approvals/${slug(body.environment)}/${message}-${slug(person)}-${slug(body.nonce).slice(0, 36)}.json`;
}

/**
 * The signed start without the plan's text, which lies beside it as `plan.yaml`: together they are what was
 * signed.
 */
export function startRecord(start: Signed<StartBody>): string {
  return JSON.stringify({ ...start, body: { ...start.body, planText: '(plan.yaml)' } }, null, 1);
}
