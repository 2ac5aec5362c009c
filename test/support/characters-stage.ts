// The genuine Django product on a whole stage: v-prev serves in staging and production, players play, v-next
// is to be deployed.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { serveFirstRelease } from '../../src/cli/demo/first-release.ts';
import { makeSomeone, type Someone } from '../../src/cli/demo/place.ts';
import { type Sent, sendMessage } from '../../src/client/send.ts';
import type { MessageName } from '../../src/core/messages.ts';
import { deploymentWorkflowId, afterwardsWorkflowId, rolloutWorkflowId } from '../../src/core/ids.ts';
import type { Json } from '../../src/core/plan/plan.ts';
import { readPrivateKey, signMessage } from '../../src/io/trust.ts';
import type { DeploymentResult, RolloutResult } from '../../workflows/contract.ts';
import { type ShownProgress, shownProgress } from '../../src/client/shown-progress.ts';
import type { Progress } from '../../workflows/progress.ts';
import {
  checkOut,
  DECISIONS,
  managed,
  makeRepository,
  query,
  root,
} from '../examples/validation-system/app.ts';
import { pythonEnvironment } from '../examples/validation-system/python.ts';
import { examplePlan, installOf } from './characters.ts';
import { type Cast, raiseEnvironment, raiseStage, type Stage, start } from './stage.ts';
import { freePort } from '../../src/io/free-port.ts';
import { here } from './signing.ts';

export type Person = 'ann' | 'lea' | 'dan' | 'sam';
const ROLES: Readonly<Record<Person, readonly string[]>> = {
  ann: ['developer'],
  lea: ['technical-lead'],
  dan: ['dba'],
  sam: ['storyteller'],
};
/** A week in thirty seconds: a monitor in Python needs a second for each sample. */
export const PACE = { nominalMs: 604_800_000, realMs: 30_000 };

export interface CharactersStage {
  readonly stage: Stage;
  readonly people: Readonly<Record<Person, Someone>>;
  /**
   * A place with v-prev serving, its database as the seed leaves it (`dirty`), decided by people, or clean.
   */
  environment(name: string, state: 'dirty' | 'decided' | 'clean', options?: PlaceOptions): Promise<Place>;
  /** The example's plan, told where this stage's places are; changed by `edit`. */
  plan(places: readonly Place[], edit?: (text: string) => string): Promise<string>;
  start(plan: string, fault?: string): Promise<Run>;
  /** The same once more, under the same name. */
  startAgain(plan: string, run: Run): Promise<{ readonly fresh: boolean; readonly deployment: string }>;
  stop(): Promise<void>;
}

export interface PlaceOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly workerEnv?: Readonly<Record<string, string>>;
  /** Rounds a second that players play; 0 where nobody does. */
  readonly players?: number;
  /** The release has this fault. */
  readonly fault?: string;
}

export interface Place {
  readonly name: string;
  readonly cast: Cast;
  readonly url: string;
  readonly insideUrl: string;
  readonly database: string;
  readonly flagFile: string;
  /** The file that a running app reads its failure switches from. */
  readonly switches: string;
  /** Folder of the app's own logs. */
  readonly logs: string;
  /** Nobody plays any more. */
  silence(): void;
}

export interface Run {
  readonly deployment: string;
  progress(environment?: string): Promise<ShownProgress>;
  /** What the worker of this pid has taken of this rollout and not yet answered, as the server has it. */
  takenBy(pid: number, environment: string): Promise<{ readonly id: string; readonly type: string } | null>;
  /** Of what it left behind; null where there is none. */
  afterwards(environment: string): Promise<Progress | null>;
  until(
    what: string,
    fits: (progress: ShownProgress) => boolean,
    environment?: string,
  ): Promise<ShownProgress>;
  say(
    message: MessageName,
    person: Person,
    environment: string,
    body?: Readonly<Record<string, Json>>,
  ): Promise<Sent>;
  result(): Promise<DeploymentResult>;
  rolloutResult(environment: string): Promise<RolloutResult>;
  evidence: string;
}

const PATIENCE_MS = 900_000;
/** From the last question to the end; what stands still for longer says where. */
const RESULT_MS = 900_000;
/** PendingActivityState. */
const STARTED = 2;
/** The private server trusts everybody, so any password opens it: it is there to be looked for. */
export const PASSWORD = 'S3cr3t&Characters';
const withPassword = (url: string) =>
  url.replace('postgres://postgres@', `postgres://postgres:${encodeURIComponent(PASSWORD)}@`);

export async function raiseCharactersStage(): Promise<CharactersStage> {
  const python = await pythonEnvironment();
  if (python === null) throw new Error('python3 with venv is missing');
  const stage = await raiseStage();
  const people = Object.fromEntries(
    await Promise.all(
      Object.entries(ROLES).map(async ([name, roles]) => [
        name,
        await makeSomeone(join(stage.folder, 'tg-keys'), name, roles),
      ]),
    ),
  ) as Record<Person, Someone>;
  const repositories = new Map<string, string>();
  const repositoryOf = async (fault = '') => {
    const path = repositories.get(fault) ?? join(stage.folder, `tg-${repositories.size}`);
    if (!repositories.has(fault)) await makeRepository(path, fault ? ['--fault', fault] : []);
    repositories.set(fault, path);
    return path;
  };
  const repository = await makeRepository(join(stage.folder, 'tg'));
  repositories.set('', repository.path);
  const prev = await checkOut(repository, 'v-prev', join(stage.folder, 'prev'));
  const next = await checkOut(repository, 'v-next', join(stage.folder, 'next'));
  const places: { cast: Cast; players: ChildProcess | null }[] = [];
  const seeded = new Set<string>();
  const databaseOf = async (state: 'dirty' | 'decided' | 'clean') => {
    const name = `tg_${state}`;
    if (seeded.has(name)) return name;
    seeded.add(name);
    await stage.postgres.createDatabase(name);
    const url = stage.postgres.url(name);
    await managed(prev, url, ['migrate', '--verbosity', '0']);
    await managed(prev, url, ['seed_dirty']);
    if (state !== 'dirty') await query(url, DECISIONS);
    if (state === 'clean')
      await managed(next, url, ['validate_data_integrity', '--fix']).catch(() => undefined);
    return name;
  };

  const environment: CharactersStage['environment'] = async (
    name,
    state,
    { env = {}, workerEnv = {}, players = 2, fault = '' } = {},
  ) => {
    const database = `${name}_${randomUUID().slice(0, 6)}`;
    await stage.postgres.createDatabase(database, await databaseOf(state));
    const insidePort = await freePort();
    const [flagFile, switches] = [
      join(stage.folder, `${database}.flag`),
      join(stage.folder, `${database}.switches.json`),
    ];
    const logs = join(stage.folder, `${database}.logs`);
    await mkdir(logs);
    const serviceEnv = {
      LOG_DIR: logs,
      INSIDE_PORT: String(insidePort),
      MAINTENANCE_FLAG: flagFile,
      TG_FAULT: switches,
      ...env,
    };
    const insideUrl = `http://127.0.0.1:${insidePort}`;
    const cast = await raiseEnvironment(stage, withPassword(stage.postgres.url(database)), {
      environment: name,
      people: Object.values(people),
      app: {
        service: 'tg',
        repository: await repositoryOf(fault),
        programs: ['python', 'python3', 'rmdir', 'ln', '.venv/bin/python', 'pip'],
        env: serviceEnv,
        logs,
      },
      inside: insideUrl,
      // The plan names its flag file in the stage's folder.
      guardrails: { files: [stage.folder] },
      env: workerEnv,
      ...(places[0] && { control: places[0].cast.control }),
    });
    const url = `http://127.0.0.1:${cast.port}`;
    await serveFirstRelease({
      place: cast.place,
      repository: repository.path,
      commit: repository.shas['v-prev'],
      url,
      env: { DATABASE_URL: cast.database, PORT: String(cast.port), ...serviceEnv },
      command: ['.venv/bin/python', '-m', 'gunicorn', 'tg.wsgi'],
      prepare: (checkout) => symlink(python, join(checkout, '.venv')),
    });
    const playing =
      players > 0
        ? spawn(process.execPath, [join(root, 'traffic.mjs'), '--url', url, '--rate', String(players)], {
            stdio: 'ignore',
          })
        : null;
    places.push({ cast, players: playing });
    return {
      name,
      cast,
      url,
      insideUrl,
      database: cast.database,
      flagFile,
      switches,
      logs,
      silence: () => void playing?.kill('SIGKILL'),
    };
  };

  // A killed worker is noticed by its silence.
  const as = { pace: PACE, timing: { heartbeatMs: 3_000, observeHeartbeatMs: 15_000 }, by: people.ann };
  return {
    stage,
    people,
    environment,
    plan: async (chosen, edit = (text) => text) => edit(retold(await examplePlan(), chosen, python)),
    start: async (plan, fault) =>
      runOf(
        stage,
        people,
        await start(stage, plan, {
          ...as,
          repository: await repositoryOf(fault),
          name: `tg-${randomUUID().slice(0, 8)}`,
        }),
      ),
    startAgain: async (plan, { deployment }) =>
      start(stage, plan, { ...as, repository: await repositoryOf(), name: deployment }),
    stop: async () => {
      for (const { players } of places) players?.kill('SIGKILL');
      await Promise.all(places.map(({ cast }) => cast.stop()));
      await stage.stop();
    },
  };
}

/**
 * The example's plan on this machine: plain processes for systemd, a linked environment for pip, and
 * thresholds a busy machine can keep.
 */
function retold(text: string, places: readonly Place[], python: string): string {
  const service =
    '- { name: web, process: { command: [.venv/bin/python, -m, gunicorn, tg.wsgi], pid-file: web.pid, ' +
    'ready: /health, build: /build } }';
  const [staging, production = staging] = places;
  return (
    text
      .replace(/install:\n(?: {4}- .*\n)+/u, `install: ${installOf(python)}\n`)
      .replace(/path: \[[^\]]*\]/u, 'path: [.venv/bin]')
      .replace('command: [pytest,', 'command: [python, -m, pytest,')
      // A reading by a command in Python takes seconds on a busy machine, and so much of a compressed soak is
      // no gap.
      .replace('clean-days: 7, gap: at most 5m', 'clean-days: 7, gap: at most 3d')
      // And a second of the machine's is as much as a metric of each is worth.
      .replace('for: 7d, every: 1m,', 'for: 7d, every: 4h,')
      .replace('    every: 15m\n', '    every: 12h\n')
      .replace(
        'watch: { for: 24h, every: 30s, gap: at most 2m }',
        'watch: { for: 24h, every: 30s, gap: at most 23h }',
      )
      .replace(/- \{ name: web, systemd: .* \}/gu, service)
      .replace(/ +- \{ name: proxy, .*\n/u, '')
      .replace('restart: [web, proxy]', 'restart: [web]')
      .replace('http://127.0.0.1:8001', staging?.url ?? 'http://127.0.0.1:1')
      .replace('https://tg.example.org', production?.url ?? 'http://127.0.0.1:1')
      .replace('http://127.0.0.1:8101', production?.insideUrl ?? 'http://127.0.0.1:1')
      .replace('/var/www/tg/maintenance.flag', production?.flagFile ?? '/nowhere')
      .replace('opens: 0 2 * * SUN', 'opens: "* * * * *"')
      .replace('alert: above 5%, samples: 100', 'alert: above 50%, samples: 2')
      .replace('objective: below 1%,', 'objective: below 40%,')
      .replace('mean: at most 110% of baseline', 'mean: at most 2000% of baseline')
      .replace(
        'objective: at most 110% of baseline for 10m, alert: above 150% of baseline for 10m',
        'unit: ms, objective: at most 2s for 10m, alert: above 4s for 10m',
      )
  );
}

function runOf(
  stage: Stage,
  people: CharactersStage['people'],
  { deployment, input }: Awaited<ReturnType<typeof start>>,
): Run {
  const { workflow } = stage.connected.client;
  const handle = (environment?: string) =>
    workflow.getHandle(environment ? rolloutWorkflowId('tg', environment) : deploymentWorkflowId(deployment));
  const progress = (environment?: string) =>
    handle(environment).query<Progress>('progress').then(shownProgress);
  return {
    deployment,
    progress,
    takenBy: async (pid, environment) => {
      const description = await handle(environment)
        .describe()
        .catch(() => null);
      const taken = description?.raw.pendingActivities?.find(
        ({ state, lastWorkerIdentity }) => state === STARTED && lastWorkerIdentity?.startsWith(`${pid}@`),
      );
      return taken ? { id: taken.activityId ?? '', type: taken.activityType?.name ?? '' } : null;
    },
    afterwards: (environment) =>
      workflow
        .getHandle(afterwardsWorkflowId(deployment, environment))
        .query<Progress>('progress')
        .catch(() => null),
    evidence: join(stage.artifacts, 'evidence', deployment),
    until: async (what, fits, environment) => {
      const deadline = Date.now() + PATIENCE_MS;
      for (;;) {
        const now = await progress(environment).catch(() => null);
        if (now && fits(now)) return now;
        const over = await handle().describe();
        if (over.status.name !== 'RUNNING' && !(now && fits(now)))
          throw new Error(`${what}: ended before, ${JSON.stringify(await handle().result(), null, 1)}`);
        if (Date.now() > deadline)
          throw new Error(
            `${what}: not reached; it is ` +
              `${JSON.stringify({ now, staging: await progress('staging').catch(() => null) }, null, 1)}`,
          );
        await new Promise((wake) => setTimeout(wake, 400));
      }
    },
    say: async (message, person, environment, body = {}) => {
      const run = input.runs.find(({ rollout }) => rollout.environment === environment)!;
      const gateReport = (await handle().query('gateReport', environment)) as {
        hash: string;
        gateReport: { plan: string; list: string; commit: string };
      } | null;
      const bound = {
        deployment,
        environment,
        nonce: randomUUID(),
        ...here(),
        expires: new Date(Date.now() + 3_600_000).toISOString(),
        ...(message === 'approve' &&
          gateReport && {
            plan: gateReport.gateReport.plan,
            list: gateReport.gateReport.list,
            commit: gateReport.gateReport.commit,
            gateReport: gateReport.hash,
            comment: '',
          }),
        ...(message === 'attest' && {
          plan: input.start.body.plan,
          text: run.list.gate?.attested.find(({ id }) => id === body['attestation'])?.text ?? '',
        }),
        ...body,
      };
      return sendMessage(
        stage.connected,
        signMessage(await readPrivateKey(people[person].keyFile), message, person, bound),
      );
    },
    result: async () => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, fails) => {
        timer = setTimeout(async () => {
          const shown = ['staging', 'production'].map((place) => progress(place).catch(() => null));
          const where = { now: await progress().catch(() => null), places: await Promise.all(shown) };
          fails(
            new Error(`no result in ${RESULT_MS / 60_000} minutes; it is ${JSON.stringify(where, null, 1)}`),
          );
        }, RESULT_MS);
      });
      return Promise.race([handle().result() as Promise<DeploymentResult>, late]).finally(() =>
        clearTimeout(timer),
      );
    },
    rolloutResult: (environment) => handle(environment).result() as Promise<RolloutResult>,
  };
}
