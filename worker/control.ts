// The control worker: workflows, gates, signatures and evidence. It has no database credentials.
import { Worker } from '@temporalio/worker';
import { controlActivities } from '../activities/index.ts';
import { CONTROL_QUEUE } from '../src/core/ids.ts';
import { openArtifacts } from '../src/io/artifacts.ts';
import { ownFolders } from '../src/io/own-folder.ts';
import { readPrivateKey } from '../src/io/trust.ts';
import type { Connected } from './connection.ts';
import type { Runs } from './runs.ts';
import { registerSearchAttributes } from './search-attributes.ts';
import { namedInLog } from './temporal-log.ts';
import { workflowSource } from './workflow-code.ts';

/** A dead worker's sticky queue costs 10 s by default; a soak that sleeps need not be cached. */
export const workflowLimits = { stickyQueueScheduleToStartTimeout: '2s', maxCachedWorkflows: 200 } as const;

const readKeyOf = (keyFile: string) =>
  readPrivateKey(keyFile).catch((error: Error) => {
    throw new Error(
      `the key ${keyFile} cannot be read (${error.message}); create one: soakgate key create control --out ${keyFile}`,
    );
  });

/**
 * `keyFile`: the private key that signs gate reports and manifests. @throws Error when it cannot be read,
 * before anybody connects.
 */
export async function controlWorker(
  artifacts: string,
  keyFile: string,
): Promise<(connected: Connected) => Promise<Runs>> {
  ownFolders({ '--artifacts': artifacts });
  const activities = controlActivities({
    key: await readKeyOf(keyFile),
    artifacts: openArtifacts(artifacts),
  });
  return async (connected) => {
    await registerSearchAttributes(connected);
    const options = {
      ...connected,
      ...workflowSource(),
      ...workflowLimits,
      taskQueue: CONTROL_QUEUE,
      shutdownGraceTime: '5s',
    } as const;
    const worker = await Worker.create({
      ...options,
      activities: activities as never,
      interceptors: { activity: [namedInLog] },
    });
    return { workers: [worker] };
  };
}
