// An environment's worker: its steps on one queue, its observation on another, with its own folder and keys.
import type { KeyObject } from 'node:crypto';
import { type ActivityInterceptorsFactory, Worker } from '@temporalio/worker';
import { ownRecord } from '../activities/frame/own-record.ts';
import { environmentActivities } from '../activities/index.ts';
import { observeActivities } from '../activities/observe/observe.ts';
import type { WorkerContext } from '../activities/frame/step-context.ts';
import { environmentQueue, observeQueue } from '../src/core/ids.ts';
import { openArtifacts } from '../src/io/artifacts.ts';
import { countedStore, openPermitCounter } from '../src/io/permit-counter.ts';
import { openPermitStore } from '../src/io/permit-store.ts';
import type { Log } from '../src/io/log.ts';
import { ownFolders } from '../src/io/own-folder.ts';
import { type LiveEnvironmentFile, openEnvironmentFile } from '../src/io/environment-file.ts';
import { readEnvironmentFile, secretsOf } from '../src/io/settings.ts';
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
  const { artifacts, permitStore } = await readEnvironmentFile(file);
  ownFolders({ artifacts, 'permit-store': permitStore });
  const live = await openEnvironmentFile(file, (text, isFault) => log[isFault ? 'error' : 'info'](text));
  const { settings } = live;
  const workerKey = await readPrivateKey(settings.workerKey).catch((error: Error) => {
    throw new Error(
      `${file} worker-key: ${error.message}; to make one: soakgate key create ${settings.environment} --worker ` +
        `--out ${settings.workerKey}`,
    );
  });
  log.hide(await secretsOf(settings));
  return async (connected) => ({
    workers: await createWorkers(connected, live, workerKey),
    beside: (over) => notifyWhatWaits(connected, live, log, over),
  });
}

/** What activities are handed; the file's own part of it is as the file is at that moment. */
function worldOf(
  { namespace }: Pick<Connected, 'namespace'>,
  live: LiveEnvironmentFile,
  workerKey: KeyObject,
): WorkerContext {
  const { environment, permitStore: folder, artifacts: root } = live.settings;
  const artifacts = openArtifacts(root);
  const counter = openPermitCounter({ folder, environment }, artifacts, workerKey);
  const permitStore = countedStore(openPermitStore(folder), counter);
  return {
    get settings() {
      return live.settings;
    },
    get fileFault() {
      return live.fault;
    },
    get fileVersion() {
      return live.version;
    },
    namespace,
    permitStore,
    counter,
    artifacts,
    record: ownRecord(permitStore),
    workerKey,
  };
}

function createWorkers(
  connected: Connected,
  live: LiveEnvironmentFile,
  workerKey: KeyObject,
): Promise<readonly Worker[]> {
  const { environment } = live.settings;
  const world = worldOf(connected, live, workerKey);
  // Whoever was taken out of the file counts for nothing from the next activity on.
  const asFileIs: ActivityInterceptorsFactory = () => ({
    inbound: {
      execute: async (input, next) => {
        await live.refresh();
        return next(input);
      },
    },
  });
  return Promise.all([
    Worker.create({
      ...connected,
      ...heartbeats,
      taskQueue: environmentQueue(environment),
      activities: environmentActivities(world) as never,
      interceptors: { activity: [namedInLog, asFileIs] },
      shutdownGraceTime: SHUTDOWN_GRACE,
      maxConcurrentActivityTaskExecutions: 20,
    }),
    Worker.create({
      ...connected,
      ...heartbeats,
      taskQueue: observeQueue(environment),
      activities: observeActivities(world) as never,
      interceptors: { activity: [namedInLog, asFileIs] },
      shutdownGraceTime: SHUTDOWN_GRACE,
      maxConcurrentActivityTaskExecutions: 50,
    }),
  ]);
}
