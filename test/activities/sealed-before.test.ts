// A sealed package is written again by the run that sealed it, and by nobody else, whatever name he takes.
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, test } from 'vitest';
import { sealer } from '../../activities/control/sealed-before.ts';
import { manifestText } from '../../src/core/evidence.ts';

const OWN = { workflow: 'deployment/d', run: 'one' };
const ROLLOUT = { workflow: 'rollout/shop/staging', run: 'two' };

async function ask(as: typeof OWN, sealedBy: typeof OWN | null | 'half'): Promise<unknown> {
  const path = join(await mkdtemp(join(tmpdir(), 'sg-sealed-')), 'manifest.json');
  const manifest = { soakgate: 1, deployment: 'd', outcome: 'completed', files: {} } as const;
  if (sealedBy === 'half') await writeFile(path, '{"soakgate": 1, "by"');
  else if (sealedBy) await writeFile(path, manifestText({ ...manifest, by: sealedBy }, '', ''));
  const environment = new MockActivityEnvironment({
    workflowExecution: { workflowId: as.workflow, runId: as.run },
  });
  return environment.run(() => sealer('d', path)).catch((error: Error) => error.message);
}

test.each<[string, typeof OWN, typeof OWN | null | 'half', boolean]>([
  ['the deployment, first', OWN, null, true],
  ['the same run, whose answer was lost', OWN, OWN, true],
  ['another run under its name', { ...OWN, run: 'evil' }, OWN, false],
  ['a rollout behind it', ROLLOUT, OWN, false],
  ['a rollout, first: the deployment was terminated', ROLLOUT, null, true],
  ['another rollout behind that', { ...ROLLOUT, workflow: 'rollout/shop/production' }, ROLLOUT, true],
  ['the deployment behind its rollout', OWN, ROLLOUT, true],
  ['a workflow of any other name', { workflow: 'attack/1', run: 'evil' }, null, false],
  ['another deployment', { workflow: 'deployment/e', run: 'evil' }, null, false],
  ['over half a manifest', OWN, 'half', true],
])('%s', async (_who, as, sealedBy, may) => {
  const came = await ask(as, sealedBy);
  if (may) expect(came).toEqual(as);
  else expect(came).toMatch(/is sealed; a sealed package is not written again|neither deployment\/d nor/u);
});
