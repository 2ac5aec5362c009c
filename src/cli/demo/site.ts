// One environment of the demo: its database, the first release under traffic, its worker with a folder of its
// own.
import { execFileSync, spawn } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DevServer, endProcess } from '../../io/dev-server.ts';
import { freePort } from '../../io/free-port.ts';
import { type PrivatePostgres } from '../../io/private-postgres.ts';
import { serveFirstRelease } from './first-release.ts';
import { makePlace, type Place, type Someone } from './place.ts';
import { startWorker, type WorkerProcess } from './worker-process.ts';

export const ORDERS = fileURLToPath(new URL('../../../examples/orders', import.meta.url));
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** Requests a second. */
const RATE = '40';

export interface Site {
  readonly place: Place;
  readonly database: string;
  readonly url: string;
  readonly worker: WorkerProcess;
  /** The application's own failure switch. */
  readonly faultFile: string;
}

export interface SiteSpec {
  readonly environment: 'staging' | 'production';
  readonly base: {
    readonly folder: string;
    readonly server: DevServer;
    readonly repository: string;
    readonly artifacts: string;
    readonly people: Readonly<Record<string, Someone>>;
    readonly control: Someone;
    readonly workers: Readonly<Record<'staging' | 'production', Someone>>;
  };
  readonly postgres: PrivatePostgres;
  readonly commit: string;
  readonly options: { readonly wrapPrograms?: (folder: string, bin: string) => Promise<string> };
  readonly ends: (() => Promise<unknown>)[];
}

/** Raises one site; what has to be taken down again is pushed to `ends` as it comes up. */
export async function raiseSite(spec: SiteSpec): Promise<Site> {
  const { environment, base, postgres, ends } = spec;
  const folder = join(base.folder, environment);
  await mkdir(folder);
  const database = postgres.url(environment);
  await postgres.createDatabase(environment);
  // People decide about two rows on staging; production is clean of those, or the night would have a question
  // in it.
  const decided = environment === 'production' ? ['--decided'] : [];
  execFileSync(process.execPath, [join(ORDERS, 'prepare-database.mjs'), '--url', database, ...decided], {
    stdio: 'pipe',
  });
  const { place, url, serviceEnv, faultFile } = await prepare(spec, folder);
  ends.push(() => stopService(place));
  await serveFirstRelease({
    place,
    repository: base.repository,
    commit: spec.commit,
    url,
    env: { ...serviceEnv, DATABASE_URL: database },
  });
  const report = join(folder, 'traffic.jsonl');
  const traffic = spawn(
    process.execPath,
    [join(ORDERS, 'traffic.mjs'), '--url', url, '--rate', RATE, '--report', report],
    {
      stdio: 'ignore',
      detached: true,
    },
  );
  ends.push(() => endProcess(traffic, 'SIGTERM', 2_000));
  const wrap = environment === 'staging' ? spec.options.wrapPrograms : undefined;
  const bin = wrap ? await wrap(join(folder, 'bin'), postgres.bin) : postgres.bin;
  const worker = await startWorker({
    args: ['environment', '--file', place.file],
    cwd: folder,
    log: join(folder, 'worker.log'),
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '/',
      TEMPORAL_ADDRESS: base.server.address,
      DATABASE_URL: database,
      ORDERS_MODULES: ROOT,
      SOAKGATE_PG_BIN: bin,
    },
  });
  ends.push(() => worker.stop());
  return { place, database, url, worker, faultFile };
}

/** Free ports, the application's settings and the environment's file. */
async function prepare({ environment, base }: SiteSpec, folder: string) {
  const [port, insidePort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const faultFile = join(folder, 'fault.json');
  const flagFile = join(folder, 'maintenance.flag');
  const production = environment === 'production';
  const behind: Record<string, string> = production
    ? { INSIDE_PORT: String(insidePort), MAINTENANCE_FLAG: flagFile }
    : {};
  const serviceEnv: Record<string, string> = {
    PORT: String(port),
    ORDERS_MODULES: ROOT,
    ORDERS_FAULT: faultFile,
    ...behind,
  };
  const operators = { any: ['lead', 'dba'] };
  const place = await makePlace({
    folder,
    environment,
    service: 'orders',
    repository: base.repository,
    artifacts: base.artifacts,
    control: base.control.publicText,
    people: Object.values(base.people),
    worker: base.workers[environment],
    ...(production && { others: [base.workers.staging] }),
    programs: ['node'],
    url,
    serviceEnv,
    ...(production && { inside: `http://127.0.0.1:${insidePort}`, flagFile }),
    guardrails: {
      start: { any: ['developer', 'lead'] },
      approve: { each: production ? ['lead', 'dba'] : [] },
      rollback: operators,
      decide: operators,
      operate: operators,
      soak: 'at least 24h',
    },
  });
  return { place, url, serviceEnv, faultFile };
}

/** The service outlives its worker, so it is ended by its pid file. */
async function stopService(place: Place): Promise<void> {
  const pid = Number((await readFile(join(place.root, 'web.pid'), 'utf8')).split(' ')[0]);
  if (pid > 0) process.kill(pid, 'SIGKILL');
}
