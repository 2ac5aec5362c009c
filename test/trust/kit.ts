// The attacker's kit: a real Temporal server, production's real worker, an attacker with the server's address who takes
// any workflow id, and an observer that reads the database, every file and the worker's processes.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { NativeConnection, Worker } from '@temporalio/worker';
import { makeSomeone, type Someone } from '../../src/cli/demo/place.ts';
import { deploymentInput, signStart } from '../../src/client/start.ts';
import { environmentQueue, rolloutWorkflowId } from '../../src/core/ids.ts';
import type { GateReport, Permit, Signed } from '../../src/core/messages.ts';
import { parsePlan } from '../../src/core/plan/parse.ts';
import type { Plan } from '../../src/core/plan/plan.ts';
import type { ClosingStatement, SignedStatement, SoakStatement } from '../../src/core/statements.ts';
import { readPrivateKey, sealGateReport, signMessage, signStatement } from '../../src/io/trust.ts';
import type { EnvironmentRun } from '../../workflows/contract.ts';
import { hashTree } from '../support/hash-tree.ts';
import { judge } from '../support/judge.ts';
import { ranNow } from '../support/programs.ts';
import {
  type Cast,
  ordersDatabase,
  query,
  raiseEnvironment,
  raiseStage,
  type Stage,
} from '../support/stage.ts';
import { twoPlacesPlan } from '../support/two-places.ts';
import type { Change } from './change.ts';
import { ALL } from './forgeries.ts';
import { here } from '../support/signing.ts';

const WEEK_MS = 604_800_000;
export const QUEUE = environmentQueue('production');
export const ROLLOUT = rolloutWorkflowId('orders', 'production');

/** What came of one activity that the attacker scheduled. */
export interface Attempt {
  readonly done?: unknown;
  readonly refused?: string;
  readonly message?: string;
}

export interface Kit {
  readonly stage: Stage;
  readonly cast: Cast;
  readonly people: Readonly<Record<string, Someone>>;
  /** One activity from the attacker's own workflow; `as` is the workflow id it takes. */
  schedule(activity: string, input: unknown, as?: string, queue?: string): Promise<Attempt>;
  /** All that can be written to: the database, every file of the place and the store, the worker's children. */
  everything(): Promise<object>;
  keyOf(person: string): ReturnType<typeof readPrivateKey>;
  /** What an honest deployment would bring to production, changed in one place. */
  permitFor(change?: Change): Promise<{ run: EnvironmentRun; permit: Permit }>;
  /** What staging's worker signs when it is closed, changed before it is signed; `key` signs instead of it. */
  closing(
    permit: Permit,
    change?: Partial<ClosingStatement>,
    key?: string,
  ): Promise<SignedStatement<ClosingStatement>>;
  stop(): Promise<void>;
}

/** `name` is of the database; a stage of its own for each file. */
export async function raiseKit(name: string): Promise<Kit> {
  const stage = await raiseStage();
  const eve = await makeSomeone(join(stage.folder, 'keys'), 'eve', ['lead', 'dba']);
  const mallory = await makeSomeone(join(stage.folder, 'mallory'), 'mallory', ['lead', 'dba']);
  const staging = await stage.worker('staging');
  const production = await stage.worker('production');
  const people: Record<string, Someone> = {
    ...stage.people,
    eve,
    mallory,
    control: stage.control,
    staging,
    production,
  };
  const database = await ordersDatabase(stage, name);
  await query(
    database,
    `insert into customers (name, email)
      values ('a', 'a@example.org'); insert into orders (customer_id, status, total_cents)
      values (1, 'paid', -700)`,
  );
  const cast = await raiseEnvironment(stage, database, {
    environment: 'production',
    people: [...Object.values(stage.people), eve],
    guardrails: {
      pace: 'refused',
      soak: 'at least 24h',
      start: { any: ['developer'] },
      approve: { each: ['dba'] },
    },
  });
  const connection = await NativeConnection.connect({ address: stage.server.address });
  const worker = await Worker.create({
    connection,
    workflowsPath: join(import.meta.dirname, '../fixtures/attacker.ts'),
    taskQueue: 'attacker',
  });
  const running = worker.run();
  return {
    stage,
    cast,
    people,
    schedule: (activity, input, as = `attack/${randomUUID()}`, queue = QUEUE) =>
      stage.connected.client.workflow.execute('schedule', {
        taskQueue: 'attacker',
        workflowId: as,
        args: [queue, activity, input],
      }) as Promise<Attempt>,
    everything: () => everything(stage, cast),
    keyOf: (person) => readPrivateKey(people[person]!.keyFile),
    permitFor: (change = {}) => permitFor(stage, people, change),
    closing: async (permit, change = {}, key = 'staging') => {
      const { deployment, environment, plan, list, commit } = permit.gateReport!.gateReport.statement!.body;
      const at = new Date().toISOString();
      return signStatement<ClosingStatement>(await readPrivateKey(people[key]!.keyFile), {
        deployment,
        environment,
        plan,
        list,
        commit,
        at,
        says: 'closed',
        outcome: 'passed',
        judgedAt: at,
        ...change,
      });
    },
    stop: async () => {
      worker.shutdown();
      await running;
      await connection.close();
      await cast.stop();
      await stage.stop();
    },
  };
}

async function everything(stage: Stage, cast: Cast): Promise<object> {
  const trees = await Promise.all([cast.place.root, cast.place.permitStore, stage.artifacts].map(hashTree));
  const [databases] = await query<{ names: string }>(
    cast.database,
    'select string_agg(datname, chr(32) order by datname) as names from pg_database',
  );
  return {
    database: await judge(cast.database),
    schemas: await query(cast.database, "select nspname from pg_namespace where nspname = 'soakgate'"),
    databases,
    trees,
    children: ranNow('sh', ['-c', `ps -o args= --ppid ${cast.worker.pid()} || true`]),
  };
}

async function permitFor(
  stage: Stage,
  people: Kit['people'],
  change: Change,
): Promise<{ run: EnvironmentRun; permit: Permit }> {
  const keyOf = (person: string) => readPrivateKey(people[person]!.keyFile);
  const planText = change.plan ?? twoPlacesPlan('staging', 'production');
  const { plan } = parsePlan(planText, 'soakgate.yaml') as { plan: Plan };
  const person = change.start?.person ?? 'ann';
  const alone = await signStart({
    planText,
    planFile: 'soakgate.yaml',
    plan,
    repository: stage.repository,
    person,
    key: await keyOf(change.start?.key ?? person),
    pace: change.pace ?? null,
    name: `orders-${randomUUID().slice(0, 8)}`,
    nonce: randomUUID(),
    expiresMs: change.start?.expiresMs ?? 3_600_000,
  });
  const also = await Promise.all(
    (change.start?.also ?? []).map(async ({ person: name, key }) => {
      const { signature } = signMessage(await keyOf(key ?? name), 'start', name, alone.body);
      return { person: name, signature };
    }),
  );
  const start = { ...alone, ...(also.length > 0 && { also }) };
  const run = deploymentInput(start).runs.find(({ rollout }) => rollout.environment === 'production')!;
  const about = {
    deployment: start.body.deployment,
    environment: 'production',
    plan: start.body.plan,
    list: run.rollout.list,
    commit: start.body.commit,
  };
  const facts = Object.fromEntries(
    ['soak-passed', 'same-release', 'backup-proven', 'rollback-rehearsed'].map((name) => [
      name,
      { holds: true, why: 'measured' },
    ]),
  );
  const honest: SoakStatement = {
    deployment: about.deployment,
    environment: 'staging',
    plan: about.plan,
    list: start.body.lists['staging'] ?? '',
    commit: about.commit,
    at: new Date().toISOString(),
    says: 'soak-passed',
    steps: [
      { step: 'backup', kind: 'backup', verdict: 'pass' },
      { step: 'preview', kind: 'preview', verdict: 'pass', rehearsed: 'up-down-up' },
    ],
    soak: {
      startedAt: Date.now() - WEEK_MS,
      endedAt: Date.now(),
      observedMs: WEEK_MS,
      samples: 168,
      missed: 0,
      gaps: 0,
      gapsMs: 0,
      extendedMs: 0,
      cleanSince: null,
    },
  };
  const statement =
    change.statement === null
      ? null
      : signStatement(await keyOf(change.statementKey ?? 'staging'), change.statement?.(honest) ?? honest);
  const gateReport: GateReport = { ...about, number: 1, requester: person, facts, statement, summary: [] };
  const sealed = sealGateReport(
    await keyOf(change.gateReportKey ?? 'control'),
    change.gateReport?.(gateReport) ?? gateReport,
  );
  const signed = await Promise.all(
    (change.sign ?? ALL).map(
      async ({ message, person: name, key, body }: NonNullable<Change['sign']>[number]) =>
        signMessage(await keyOf(key ?? name), message, name, {
          ...about,
          ...here(),
          nonce: randomUUID(),
          expires: new Date(Date.now() + 3_600_000).toISOString(),
          ...(message === 'approve'
            ? { gateReport: sealed.hash, comment: '' }
            : { attestation: 'tried', text: 'It was tried by hand' }),
          ...body,
        }),
    ),
  );
  const of = (message: string) => signed.filter((each) => each.message === message) as Signed[];
  return {
    run,
    permit: {
      start,
      environment: 'production',
      gateReport: sealed,
      approvals: of('approve'),
      attestations: of('attest'),
    },
  };
}
