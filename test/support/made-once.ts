// What every worker and every private server of the tests would make for itself, made once: the bundle of the
// workflows and an empty cluster.
// Started alone, as in test/journeys/demo.test.ts, both still make their own.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { bundleOptions } from '../../worker/workflow-code.ts';
import { makeTemplate } from '../../src/io/private-postgres.ts';

let folder: string;
let template: Awaited<ReturnType<typeof makeTemplate>>;

export async function setup(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'soakgate-bundle-'));
  const { code } = await bundleWorkflowCode({ ...bundleOptions(), logger: new DefaultLogger('ERROR') });
  process.env['SOAKGATE_WORKFLOW_BUNDLE'] = join(folder, 'workflows.js');
  await writeFile(process.env['SOAKGATE_WORKFLOW_BUNDLE'], code);
  template = await makeTemplate();
  process.env['SOAKGATE_PG_TEMPLATE'] = template.data;
}

export async function teardown(): Promise<void> {
  await template.remove();
  await rm(folder, { recursive: true, force: true });
}
