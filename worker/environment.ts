// An environment's worker: its steps on one queue, its observation on another, with its own folder and keys.
import type { KeyObject } from 'node:crypto';
import { Worker } from '@temporalio/worker';
import { ownRecord } from '../activities/frame/own-record.ts';
import { environmentActivities } from '../activities/index.ts';
import { observeActivities } from '../activities/observe/observe.ts';
import type { WorkerContext } from '../activities/frame/step-context.ts';
import { environmentQueue, observeQueue } from '../src/core/ids.ts';
import { openArtifacts } from '../src/io/artifacts.ts';
import { openPermitStore } from '../src/io/permit-store.ts';
import type { Log } from '../src/io/log.ts';
import { ownFolders } from '../src/io/own-folder.ts';
import { type EnvironmentSettings, readEnvironmentFile, secretsOf } from '../src/io/settings.ts';
import { readPrivateKey } from '../src/io/trust.ts';
import type { Connected } from './connection.ts';
import { notifyWhatWaits } from './notifying.ts';
import type { Runs } from './runs.ts';
import { namedInLog } from './temporal-log.ts';

const heartbeats = { maxHeartbeatThrottleInterval: '5s', defaultHeartbeatThrottleInterval: '2s' } as const;
/** Time for `observe` to hand back what it has. */
const SHUTDOWN_GRACE = '0s';

/** @throws Error with all complaints about the file, before anybody connects. */
export async function environmentWorkers(
  file: string,
  log: Log,
): Promise<(connected: Connected) => Promise<Runs>> {
  const settings = await readEnvironmentFile(file);
  ownFolders({ artifacts: settings.artifacts, 'permit-store': settings.permitStore });
  const workerKey = await readPrivateKey(settings.workerKey).catch((error: Error) => {
    throw new Error(
      `${file} worker-key: ${error.message}; to make one: soakgate key create ${settings.environment} --worker ` +
        `--out ${settings.workerKey}`,
    );
  });
  log.hide(await secretsOf(settings));
  return async (connected) => ({
    workers: await createWorkers(connected, settings, workerKey),
    beside: (over) => notifyWhatWaits(connected, settings, log, over),
  });
}

function createWorkers(
  connected: Connected,
  settings: EnvironmentSettings,
  workerKey: KeyObject,
): Promise<readonly Worker[]> {
  const permitStore = openPermitStore(settings.permitStore);
  const world: WorkerContext = {
    settings,
    permitStore,
    artifacts: openArtifacts(settings.artifacts),
    record: ownRecord(permitStore),
    workerKey,
  };
  return Promise.all([
    Worker.create({
      ...connected,
      ...heartbeats,
      taskQueue: environmentQueue(settings.environment),
      activities: environmentActivities(world) as never,
      interceptors: { activity: [namedInLog] },
      shutdownGraceTime: SHUTDOWN_GRACE,
      maxConcurrentActivityTaskExecutions: 20,
    }),
    Worker.create({
      ...connected,
      ...heartbeats,
      taskQueue: observeQueue(settings.environment),
      activities: observeActivities(world) as never,
      interceptors: { activity: [namedInLog] },
      shutdownGraceTime: SHUTDOWN_GRACE,
      maxConcurrentActivityTaskExecutions: 50,
    }),
  ]);
}
