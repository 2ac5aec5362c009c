// Where things lie in the artifact store: derived names, so that any worker finds them after any crash.
import type { Signed, SignedStart } from '../../src/core/messages.ts';
import type { RolloutRef } from '../../src/core/ids.ts';
import { fail } from '../../src/core/failures.ts';
import { sha256 } from '../../src/io/files.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/u;

/**
 * A name that a caller said, as one part of a path. @throws StepFailure NOT_PERMITTED for what could be another
 * path.
 */
export const pathPart = (name: string): string =>
  NAME.test(name)
    ? name
    : fail(
        'NOT_PERMITTED',
        `${JSON.stringify(name)?.slice(0, 100)} is no name of a deployment or environment`,
      );

/** Where a deployment's evidence lies in the artifact store. */
export const evidenceFolder = (deployment: string): string => `evidence/${pathPart(deployment)}`;
/** Where a rollout's artifacts (dumps, before-images, metrics) lie. */
export const rolloutFolder = (rollout: RolloutRef): string => `rollouts/${pathPart(rollout.hash)}`;
export const slug = (name: string): string => name.replace(/[^A-Za-z0-9]+/gu, '-');

/** One file for each signed message that counted; the same message twice is the same file. */
export function approvalPath(deployment: string, { message, person, body }: Signed): string {
  return `${evidenceFolder(deployment)}/approvals/${slug(body.environment)}/${slug(message)}-${slug(person).slice(0, 60)}-${sha256(body.nonce).slice(0, 20)}.json`;
}

/** Who has signed the start, as an environment's worker has verified it: what stands in the start is only claimed. */
export const startSignersPath = ({
  deployment,
  environment,
}: Pick<RolloutRef, 'deployment' | 'environment'>): string =>
  `${evidenceFolder(deployment)}/${startSigners(environment)}`;
export const startSigners = (environment: string): string => `start-signers/${slug(environment)}.json`;

/** Where a message lies that its environment found good, and that came too late or to nothing. */
export const refusedPath = (approval: string): string => approval.replace('/approvals/', '/refused/');

/** The gate report that an approval is about, under its hash; the one that opened lies with the approvals, too. */
export const gateReportPath = (deployment: string, environment: string, hash: string): string =>
  `${evidenceFolder(deployment)}/gate-reports/${slug(environment)}-${pathPart(hash)}.json`;

/**
 * The signed start without the plan's text, which lies beside it as `plan.yaml`: together they are what was
 * signed.
 */
export function startRecord(start: SignedStart): string {
  return JSON.stringify({ ...start, body: { ...start.body, planText: '(plan.yaml)' } }, null, 1);
}
