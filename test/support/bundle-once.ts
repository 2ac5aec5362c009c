// The workflows, bundled once for all the workers that the tests start; each would do it for itself at its start, as in a checkout.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

let folder: string;

export async function setup(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'soakgate-bundle-'));
  const workflowsPath = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url));
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
  process.env['SOAKGATE_WORKFLOW_BUNDLE'] = join(folder, 'workflows.js');
  await writeFile(process.env['SOAKGATE_WORKFLOW_BUNDLE'], code);
}

export const teardown = (): Promise<void> => rm(folder, { recursive: true, force: true });
