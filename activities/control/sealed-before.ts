// A package that its deployment has sealed stays as it is: only the same run of the same workflow, whose answer was
// lost, seals it again.
import { activityInfo } from '@temporalio/activity';
import type { SignedManifest } from '../../src/core/evidence.ts';
import { fail } from '../../src/core/failures.ts';
import { deploymentWorkflowId } from '../../src/core/ids.ts';
import { readIfThere } from '../../src/io/files.ts';

/** Who seals: a workflow and its run. */
export interface Sealer {
  readonly workflow: string;
  readonly run: string;
}

/**
 * The workflow that asks.
 * @throws StepFailure NOT_PERMITTED where it is neither the deployment nor a rollout, or the package is sealed already.
 */
export async function sealer(deployment: string, manifestPath: string): Promise<Sealer> {
  const { workflowId: workflow = '', runId: run = '' } = activityInfo().workflowExecution ?? {};
  const own = deploymentWorkflowId(deployment);
  if (workflow !== own && !workflow.startsWith('rollout/'))
    fail('NOT_PERMITTED', `workflow ${workflow} is neither ${own} nor a rollout of it`);
  const text = await readIfThere(manifestPath);
  if (text === undefined) return { workflow, run };
  const before = sealerIn(text);
  // Where the deployment was terminated, each of its rollouts closes the package as it ends.
  if (before?.workflow === own && (workflow !== own || run !== before.run))
    fail('NOT_PERMITTED', `the evidence of ${deployment} is sealed; a sealed package is not written again`);
  return { workflow, run };
}

function sealerIn(text: string): Sealer | undefined {
  try {
    return (JSON.parse(text) as SignedManifest).by;
  } catch {
    // Half a manifest seals nothing.
    return undefined;
  }
}
