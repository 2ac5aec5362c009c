// preflight: tools, versions, role and privileges from the catalog, disk, no unclosed rollout. Nothing is
// tried by writing.
import type { PreflightSpec } from '../../src/core/plan/steps/preflight.ts';
import { statfs } from 'node:fs/promises';
import { backupSpecOf } from '../../src/core/backup-spec.ts';
import type { Limit } from '../../src/core/plan/plan.ts';
import { outside } from '../../src/core/soak.ts';
import { worst } from '../../src/core/verdict.ts';
import { findProgram } from '../../src/io/command.ts';
import { openRollout } from '../../src/io/fence.ts';
import { connectionRefused } from '../../src/io/tcp-probe.ts';
import { type Session, withSession } from '../../src/io/postgres.ts';
import type { StepResult } from '../frame/receipt.ts';
import { asRestorer } from '../backup/restore-login.ts';
import { migratorNames } from '../migrators/index.ts';
import { restarterNames, toolsOf } from '../restarters/index.ts';
import { baseEnvironment } from '../frame/commands.ts';
import { looksAtRestore } from './preflight-restore.ts';
import { type Look, rightsOf } from './preflight-rights.ts';
import { roomForSessions } from './preflight-sessions.ts';
import { looksAtSql } from './preflight-sql.ts';
import type { Work } from '../frame/step-context.ts';

const OWN_TOOLS = ['git', 'tar', 'psql', 'pg_dump', 'pg_restore'];

export async function preflight(work: Work, spec: PreflightSpec): Promise<StepResult> {
  const adapters = work.list.environment.services.flatMap(({ tool }) => toolsOf(tool));
  const tools = [...new Set([...OWN_TOOLS, ...adapters, ...spec.tools])];
  const looks = [
    ...tools.map(lookForTool),
    ...drivers(work),
    ...(await Promise.all((spec.reach ?? []).map(lookForService))),
    ...(await withRestorer(work, (session, restorer) => askDatabase(work, { session, restorer }, spec))),
    ...(await looksAtSql(work)),
    await unclosed(work),
    ...(await leftStuck(work)),
  ];
  return told(looks);
}

/** What does not hold comes first; what people must know is said in any case. */
function told(looks: readonly Look[]): StepResult {
  const bad = looks.filter((look) => look.verdict !== 'pass');
  const notes = looks.filter((look) => look.note);
  const conditions = looks.length - notes.length;
  const [first, ...more] = notes.map(({ line }) => line);
  const note = first === undefined ? '' : `; note: ${first}${more.length > 0 ? `; ${more.length} more` : ''}`;
  return {
    verdict: worst(looks.map((look) => look.verdict)),
    summary:
      bad.length === 0
        ? `${conditions} conditions hold${note}`
        : bad.length === 1
          ? bad[0]!.line
          : `${bad.length} of ${conditions} conditions do not hold; first: ${bad[0]!.line}`,
    details: (bad.length > 0 ? [...bad, ...notes] : looks).map((look) => look.line),
  };
}

function lookForTool(tool: string): Look {
  const found = findProgram(tool, baseEnvironment()['PATH'] ?? '');
  return found
    ? { verdict: 'pass', line: `${tool} is there` }
    : { verdict: 'fail', line: `${tool} is not on the worker's path` };
}

async function lookForService(address: string): Promise<Look> {
  const refused = await connectionRefused(address);
  return refused === null
    ? { verdict: 'pass', line: `${address} takes connections` }
    : { verdict: 'fail', line: `${address} takes no connection: ${refused}` };
}

/** A tool of the plan that nothing here can drive is found before anything is done. */
function drivers({ list }: Work): readonly Look[] {
  const look = (what: string, tool: string, there: readonly string[]): Look =>
    there.includes(tool)
      ? { verdict: 'pass', line: `${what}: ${tool} can be driven` }
      : {
          verdict: 'fail',
          line: `${what}: there is no adapter for ${tool} here (there is: ${there.join(', ')})`,
        };
  return [
    ...(list.migrations ? [look('migrations', list.migrations.tool, migratorNames())] : []),
    ...list.environment.services.map((service) =>
      look(`service ${service.name}`, service.tool, restarterNames()),
    ),
  ];
}

/** A session of whoever reads the target, and one of whoever restores copies of it; often it is the same. */
async function withRestorer<T>(
  work: Work,
  use: (session: Session, restorer: Session) => Promise<T>,
): Promise<T> {
  const { url } = await asRestorer(work);
  return withSession(work.url, work.tag, (session) =>
    url === work.url
      ? use(session, session)
      : withSession(url, work.tag, (restorer) => use(session, restorer)),
  );
}

async function askDatabase(
  work: Work,
  { session, restorer }: { readonly session: Session; readonly restorer: Session },
  spec: PreflightSpec,
): Promise<readonly Look[]> {
  const owners = backupSpecOf(work.list).owners !== false;
  return [
    await clientVersion(work, session),
    ...(await rightsOf(session, { restorer, owners })),
    ...(await roomForSessions(work, { session, restorer })),
    ...(await looksAtRestore(work, restorer)),
    await disk(work, session, spec.disk),
    await otherRollout(work, session),
  ];
}

/** A pg_dump older than the server refuses to dump it. */
async function clientVersion(work: Work, session: Session): Promise<Look> {
  const [row] = await session.query<{ major: number; version: string }>(
    `select current_setting('server_version_num')::int / 10000 as major,
      current_setting('server_version') as version`,
  );
  const { stdout } = await work.runTool(['pg_dump', '--version']);
  const client = Number(/(\d+)(?:\.\d+)?/u.exec(stdout)?.[1] ?? 0);
  const server = row?.major ?? 0;
  return client >= server
    ? { verdict: 'pass', line: `pg_dump ${client} for server ${row?.version}` }
    : {
        verdict: 'fail',
        line: `pg_dump ${client} cannot dump server ${row?.version}; install client ${server}`,
      };
}

async function disk(work: Work, session: Session, limit: Limit | undefined): Promise<Look> {
  const [row] = await session.query<{ bytes: string }>(
    'select pg_database_size(current_database())::text as bytes',
  );
  const { artifacts, permitStore } = work.world.settings;
  // A dump is made and proven beside the permits, and kept among the artifacts.
  const room = await Promise.all(
    [artifacts, permitStore].map(async (folder) => {
      const { bavail, bsize } = await statfs(folder).catch(() => statfs(work.service.root));
      return bavail * bsize;
    }),
  );
  const [free, size] = [Math.min(...room), Number(row?.bytes ?? 0)];
  const line = `${megabytes(free)} free for a database of ${megabytes(size)}`;
  if (!limit) return { verdict: 'pass', line };
  return outside(
    limit.ofDatabase ? { ...limit, value: limit.value * size } : limit,
    free,
    undefined,
    'objective',
  )
    ? { verdict: 'fail', line: `${line}, wanted ${limit.text}` }
    : { verdict: 'pass', line };
}

async function otherRollout(work: Work, session: Session): Promise<Look> {
  const open = await openRollout(session);
  if (open && open.rollout !== work.rollout.hash)
    return {
      verdict: 'fail',
      line:
        `deployment ${open.deployment} has not closed its rollout on this database; run: soakgate ` +
        `recover ${open.deployment}; where that finds nothing to recover, because its permit store was lost, and ` +
        'nothing of it is left to undo, run in this database: drop schema soakgate cascade',
    };
  return { verdict: 'pass', line: 'no other rollout is open on this database' };
}

async function unclosed(work: Work): Promise<Look> {
  const others = (await work.world.permitStore.open(work.rollout.service)).filter(
    (other) => other.hash !== work.rollout.hash,
  );
  if (others.length === 0) return { verdict: 'pass', line: 'no other rollout of this service is open here' };
  return {
    verdict: 'fail',
    line:
      `deployment ${others[0]?.deployment} is not closed here; run: soakgate recover ` +
      `${others[0]?.deployment}`,
  };
}

/** No reason to refuse, a person has signed it; but who goes on must know. */
async function leftStuck(work: Work): Promise<readonly Look[]> {
  const left = await work.world.permitStore.leftStuck(work.rollout.service);
  return left.map(({ deployment }) => ({
    verdict: 'pass',
    note: true,
    line:
      `deployment ${deployment} was left stuck here; what it could not put back is in its evidence: ` +
      `soakgate evidence ${deployment}`,
  }));
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1_048_576)} MiB`;
