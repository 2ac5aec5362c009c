// The demo's scene: PostgreSQL, Temporal, the orders app in two environments under traffic, three workers
// with folders and keys of their own.
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DevServer, startDevServer } from '../../io/dev-server.ts';
import { startPostgres } from '../../io/private-postgres.ts';
import { makeSomeone, type Someone } from './place.ts';
import { ORDERS, raiseSite, type Site } from './site.ts';
import { startWorker } from './worker-process.ts';

export interface Scene {
  readonly folder: string;
  readonly server: DevServer;
  readonly repository: string;
  readonly artifacts: string;
  readonly people: Readonly<Record<'rae' | 'lea' | 'dan', Someone>>;
  readonly control: Someone;
  readonly sites: Readonly<Record<'staging' | 'production', Site>>;
  stop(): Promise<void>;
}

export interface SceneOptions {
  /** Baked into the second release. */
  readonly appFault?: string;
  /** Stands before PostgreSQL's programs on the staging worker's path. */
  readonly wrapPrograms?: (folder: string, bin: string) => Promise<string>;
  readonly say: (text: string) => void;
}

/** Raises everything; what was raised is taken down again when a later part fails. */
export async function raiseScene(options: SceneOptions): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), 'soakgate-demo-'));
  const ends: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const stop = async () => {
    for (const end of ends.splice(0).reverse()) await end().catch(() => undefined);
  };
  try {
    return { ...(await raise(folder, options, ends)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function raise(
  folder: string,
  options: SceneOptions,
  ends: (() => Promise<unknown>)[],
): Promise<Omit<Scene, 'stop'>> {
  const [server, postgres] = await Promise.all([startDevServer(folder), startPostgres()]);
  ends.push(
    () => server.stop(),
    () => postgres.stop(),
  );
  if (server.ui) options.say(`Temporal Web UI: ${server.ui}/namespaces/default/workflows`);
  const { repository, releases } = await makeRepository(folder, options.appFault);
  const keys = join(folder, 'keys');
  const [rae, lea, dan, control, ...workers] = await Promise.all([
    makeSomeone(keys, 'rae', ['developer']),
    makeSomeone(keys, 'lea', ['lead']),
    makeSomeone(keys, 'dan', ['dba']),
    makeSomeone(join(folder, 'control'), 'control', []),
    makeSomeone(join(folder, 'workers'), 'staging', []),
    makeSomeone(join(folder, 'workers'), 'production', []),
  ]);
  const base = {
    folder,
    server,
    repository,
    artifacts: join(folder, 'artifacts'),
    people: { rae, lea, dan },
    control,
    workers: { staging: workers[0]!, production: workers[1]! },
  };
  const controlEnv = {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '/',
    TEMPORAL_ADDRESS: server.address,
  };
  const controlWorker = startWorker({
    args: ['control', '--artifacts', base.artifacts, '--key', control.keyFile],
    cwd: join(folder, 'control'),
    env: controlEnv,
    log: join(folder, 'control', 'worker.log'),
  }).then((worker) => ends.push(() => worker.stop()));
  const site = (environment: 'staging' | 'production') =>
    raiseSite({ environment, base, postgres, commit: releases.v1, options, ends });
  // All are awaited, so that what came up beside a failure is known and taken down.
  const raised = await Promise.allSettled([site('staging'), site('production'), controlWorker]);
  const failed = raised.find((part) => part.status === 'rejected');
  if (failed) throw failed.reason;
  const [staging, production] = raised.map((part) => (part as PromiseFulfilledResult<Site>).value);
  return { ...base, sites: { staging: staging!, production: production! } };
}

/** The releases of the example as a git repository, with a fault in it where one is asked for. */
async function makeRepository(folder: string, fault: string | undefined) {
  const repository = join(folder, 'repository');
  await mkdir(repository);
  const args = [join(ORDERS, 'make-repository.mjs'), repository, ...(fault ? ['--fault', fault] : [])];
  const made = execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 });
  return { repository, releases: JSON.parse(made) as { readonly v1: string } };
}
