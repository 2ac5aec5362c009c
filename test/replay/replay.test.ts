// Recorded histories, replayed by today's workflow code: a change that would break a living run goes red
// here.
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
import { activityTypes, filesOf, plays } from '../support/recordings.ts';

const folder = join(import.meta.dirname, 'histories');
/** Names of the files in the folder. */
const recordings = (readdirSync(folder, { recursive: true }) as string[])
  .filter((name) => name.endsWith('.json'))
  .sort();
/** The types of the activities that a recorded run calls. */
const typesIn = (name: string): readonly string[] =>
  [...readFileSync(join(folder, name), 'utf8').matchAll(/"activityType":\{"name":"(\w+)"/gu)].map(
    ([, type]) => type!,
  );
let workflowBundle: WorkflowBundleWithSourceMap;

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
  workflowBundle = await bundleWorkflowCode({ ...bundleOptions(), logger: new DefaultLogger('ERROR') });
});

function* recorded(names: readonly string[]) {
  for (const name of names) {
    const { History } = proto.temporal.api.history.v1;
    yield {
      workflowId: name,
      history: History.fromObject(JSON.parse(readFileSync(join(folder, name), 'utf8')) as object),
    };
  }
}

/** Name → why it does not replay, or null. */
async function replay(
  bundle: { code: string },
  names = recordings,
): Promise<Readonly<Record<string, string | null>>> {
  const results: Record<string, string | null> = {};
  for await (const { workflowId, error } of Worker.runReplayHistories(
    { workflowBundle: bundle },
    recorded(names),
  ))
    results[workflowId] = error?.message ?? null;
  return results;
}

describe('recorded runs', () => {
  test('there is every one that the list of runs names, and no other', () => {
    expect(recordings).toEqual(
      Object.entries(plays)
        .flatMap(([name, play]) => filesOf(name, play))
        .sort(),
    );
    expect(recordings.length).toBeGreaterThanOrEqual(30);
  });

  test('every activity occurs in them', () => {
    const recordedTypes = new Set(recordings.flatMap(typesIn));
    expect(
      activityTypes.filter((type) => !recordedTypes.has(type)),
      'no recorded run calls these: add one to test/support/plays, then npm run generate -- histories',
    ).toEqual([]);
  });

  test('all replay with the code of today', { timeout: 180_000 }, async () => {
    const broken = Object.entries(await replay(workflowBundle)).filter(([, error]) => error);
    expect(
      broken,
      'the command order changed: a living run would break. Record anew: npm run generate -- histories',
    ).toEqual([]);
  });

  test('a run that would now ask something else first is found', async () => {
    const changed = workflowBundle.code.replace('.planRollback({', '.decide({');
    expect(changed).not.toBe(workflowBundle.code);
    const rolledBack = ['rolled-back.rollout.json', 'stuck.rollout.json'];
    const some = ['completed.deployment.json', 'completed.rollout.json', ...rolledBack];
    const broken = Object.entries(await replay({ code: changed }, some)).filter(([, error]) => error);
    expect(broken.map(([name]) => name).sort()).toEqual(rolledBack);
  });
});
