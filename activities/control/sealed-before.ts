// A package that its deployment has sealed stays as it is: only the same run of the same workflow, whose answer was
// lost, seals it again.
import { activityInfo } from '@temporalio/activity';
import { type Sealer, sealerIn } from '../../src/core/evidence.ts';
import { fail } from '../../src/core/failures.ts';
import { deploymentWorkflowId } from '../../src/core/ids.ts';
import { NotAFile, readRegular } from '../../src/io/regular-file.ts';

/**
 * The workflow that asks.
 * @throws StepFailure NOT_PERMITTED where it is neither the deployment nor a rollout, or the package is sealed already;
 * ARTIFACT_REFUSED where something else than a manifest stands in its place.
 */
export async function sealer(deployment: string, manifestPath: string): Promise<Sealer> {
  const { workflowId: workflow = '', runId: run = '' } = activityInfo().workflowExecution ?? {};
  const own = deploymentWorkflowId(deployment);
  if (workflow !== own && !workflow.startsWith('rollout/'))
    fail('NOT_PERMITTED', `workflow ${workflow} is neither ${own} nor a rollout of it`);
  const text = await readRegular(manifestPath, { most: LARGEST }).catch((error: Error) => {
    if (!(error instanceof NotAFile)) throw error;
    return fail(
      'ARTIFACT_REFUSED',
      `${manifestPath} ${error.message}; take it away, and the evidence is sealed`,
    );
  });
  if (text === undefined) return { workflow, run };
  const before = sealerIn(text);
  // Where the deployment was terminated, each of its rollouts closes the package as it ends.
  if (before?.workflow === own && (workflow !== own || run !== before.run))
    fail('NOT_PERMITTED', `the evidence of ${deployment} is sealed; a sealed package is not written again`);
  return { workflow, run };
}

const LARGEST = 64_000_000;
