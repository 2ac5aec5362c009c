// Recorded histories, replayed by today's workflow code: a change that would break a living run goes red here.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import proto from '@temporalio/proto';
import {
  bundleWorkflowCode,
  DefaultLogger,
  Runtime,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
import { bundleOptions } from '../../worker/workflow-code.ts';
import { outcomes } from '../support/recordings.ts';

const folder = join(import.meta.dirname, 'histories');
/** Names of the files in the folder. */
const recordings = (readdirSync(folder, { recursive: true }) as string[])
  .filter((name) => name.endsWith('.json'))
  .sort();
let workflowBundle: WorkflowBundleWithSourceMap;

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
  workflowBundle = await bundleWorkflowCode({ ...bundleOptions(), logger: new DefaultLogger('ERROR') });
});

function* recorded() {
  for (const name of recordings) {
    const { History } = proto.temporal.api.history.v1;
    yield {
      workflowId: name,
      history: History.fromObject(JSON.parse(readFileSync(join(folder, name), 'utf8')) as object),
    };
  }
}

/** Name → why it does not replay, or null. */
async function replay(bundle: { code: string }): Promise<Readonly<Record<string, string | null>>> {
  const results: Record<string, string | null> = {};
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle: bundle }, recorded()))
    results[workflowId] = error?.message ?? null;
  return results;
}

describe('recorded runs', () => {
  test('there is one of a deployment and of a rollout for each outcome', () => {
    expect(recordings).toEqual(
      outcomes.flatMap((outcome) => [`${outcome}.deployment.json`, `${outcome}.rollout.json`]).sort(),
    );
  });

  test('all replay with the code of today', async () => {
    const broken = Object.entries(await replay(workflowBundle)).filter(([, error]) => error);
    expect(
      broken,
      'the command order changed: a living run would break. Record anew: node scripts/record-histories.ts',
    ).toEqual([]);
  });

  test('a run that would now ask something else first is found', async () => {
    const changed = workflowBundle.code.replace('.planRollback({', '.decide({');
    expect(changed).not.toBe(workflowBundle.code);
    const broken = Object.entries(await replay({ code: changed })).filter(([, error]) => error);
    expect(broken.map(([name]) => name).sort()).toEqual(['rolled-back.rollout.json', 'stuck.rollout.json']);
  });
});
