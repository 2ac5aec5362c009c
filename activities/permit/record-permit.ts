// What is written when a permit is taken: its signatures are spent, and it stands in the evidence.
import type { OpenRolloutInput } from '../../src/core/activities.ts';
import { fail } from '../../src/core/failures.ts';
import type { Person } from '../../src/core/quorum.ts';
import { evidenceFolder, slug, startRecord, startSignersPath } from '../frame/artifact-paths.ts';
import type { WorkerContext } from '../frame/step-context.ts';

/**
 * Each signature serves one deployment: an attempt that died in between finds its own. Who co-signs a start chooses no
 * nonce, and what is signed names the deployment.
 */
export async function spendNonces(
  { permitStore }: WorkerContext,
  { rollout, permit }: OpenRolloutInput,
): Promise<void> {
  for (const signed of [permit.start, ...permit.approvals, ...permit.attestations]) {
    const spender = `${rollout.deployment}/${signed.message}`;
    const nonce = `${signed.person}\n${(signed.body as { nonce: string }).nonce}`;
    if ((await permitStore.spendNonce(nonce, spender)) !== spender)
      fail('PERMIT_REFUSED', `the ${signed.message} of ${signed.person} has been used before`);
  }
}

/**
 * What opened this environment, into the evidence as it happens; approvals were written when they were
 * verified.
 */
export async function recordPermit(
  { artifacts }: WorkerContext,
  { rollout, permit }: OpenRolloutInput,
  signers: readonly Person[],
): Promise<void> {
  const folder = evidenceFolder(rollout.deployment);
  await artifacts.put(`${folder}/plan.yaml`, permit.start.body.planText);
  await artifacts.put(`${folder}/approvals/start.json`, startRecord(permit.start));
  const verified = signers.map(({ name, roles }) => ({ name, roles }));
  if (signers.length > 1) await artifacts.put(startSignersPath(rollout), JSON.stringify(verified, null, 1));
  if (permit.gateReport)
    await artifacts.put(
      `${folder}/approvals/${slug(rollout.environment)}/gate-report.json`,
      JSON.stringify(permit.gateReport, null, 1),
    );
}
