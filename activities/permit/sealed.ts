// Whether a deployment has ended and its package is sealed: what is signed from then on is written nowhere.
import { MANIFEST, sealerIn } from '../../src/core/evidence.ts';
import { deploymentWorkflowId } from '../../src/core/ids.ts';
import type { Artifacts } from '../../src/io/artifacts.ts';
import { evidenceFolder } from '../frame/artifact-paths.ts';

export async function isSealed(artifacts: Artifacts, deployment: string): Promise<boolean> {
  const name = `${evidenceFolder(deployment)}/${MANIFEST}`;
  if (!(await artifacts.has(name))) return false;
  return sealerIn(await artifacts.read(name))?.workflow === deploymentWorkflowId(deployment);
}
