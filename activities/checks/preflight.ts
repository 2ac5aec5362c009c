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
import { type Look, rightsOf } from './preflight-rights.ts';
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
  const bad = looks.filter((look) => look.verdict !== 'pass');
  return {
    verdict: worst(looks.map((look) => look.verdict)),
    summary:
      bad.length === 0
        ? `${looks.length} conditions hold`
        : bad.length === 1
          ? bad[0]!.line
          : `${bad.length} of ${looks.length} conditions do not hold; first: ${bad[0]!.line}`,
    details: (bad.length > 0 ? bad : looks).map((look) => look.line),
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
    ...(Object.values(work.list.fallbacks).some((fallback) => 'restore' in fallback)
      ? [await mayRestore(restorer)]
      : []),
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

/** A restore swaps names with nobody connected: found now, not in the night when it is needed. */
async function mayRestore(session: Session): Promise<Look> {
  const [row] = await session.query<{ role: string; owner: boolean; signals: boolean; others: string[] }>(
    `select current_user as role, pg_has_role(current_user, d.datdba, 'usage') as owner,
      pg_has_role(current_user, 'pg_signal_backend', 'usage') as signals,
       (select coalesce(array_agg(distinct usename::text), '{}') from pg_stat_activity a
       where a.datname = d.datname and not pg_has_role(current_user, a.usesysid, 'usage')) as others
     from pg_database d where d.datname = current_database()`,
  );
  if (!row?.owner)
    return {
      verdict: 'fail',
      line: `role ${row?.role} does not own this database, so a restore could not take its name`,
    };
  if (!row.signals && row.others.length > 0)
    return {
      verdict: 'fail',
      line:
        `role ${row.role} may not end the sessions of ${row.others.join(', ')}, which a restore must: ` +
        `grant pg_signal_backend to ${row.role}`,
    };
  const settings = await unsettable(session);
  if (settings.length > 0)
    return {
      verdict: 'fail',
      line:
        `role ${row.role} may not set ${settings.map(({ what }) => what).join(', ')}, which this database has and ` +
        `a restore must set again: ${settings.map(({ grant }) => grant).join('; ')}`,
    };
  return {
    verdict: 'pass',
    line: `role ${row.role} may restore: it owns the database and may end its sessions`,
  };
}

/** Settings of the database, or of roles in it, that this role may not give to a restored one. */
function unsettable(session: Session): Promise<readonly { what: string; grant: string }[]> {
  return session.query<{ what: string; grant: string }>(
    `select split_part(c, '=', 1) || case when setrole = 0 then '' else ' of ' || setrole::regrole end as what,
       case when setrole = 0 then 'grant set on parameter ' || split_part(c, '=', 1) || ' to ' ||
           quote_ident(current_user)
         else 'alter role ' || quote_ident(current_user) || ' createrole' end as grant
     from pg_db_role_setting s, unnest(setconfig) c
     where setdatabase = (select oid from pg_database where datname = current_database())
       and not (select rolsuper from pg_roles where rolname = current_user)
       and ((setrole = 0 and exists (select from pg_settings p where p.name = split_part(c, '=', 1)
           and p.context not in ('user', 'backend')) and not has_parameter_privilege(split_part(c, '=', 1), 'set'))
         or (setrole <> 0 and setrole <> (select oid from pg_roles where rolname = current_user)
           and not (select rolcreaterole from pg_roles where rolname = current_user)))`,
  );
}

async function disk(work: Work, session: Session, limit: Limit | undefined): Promise<Look> {
  const [row] = await session.query<{ bytes: string }>(
    'select pg_database_size(current_database())::text as bytes',
  );
  const { bavail, bsize } = await statfs(work.world.settings.artifacts).catch(() =>
    statfs(work.service.root),
  );
  const [free, size] = [bavail * bsize, Number(row?.bytes ?? 0)];
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
        `recover ${open.deployment}`,
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
    line:
      `deployment ${deployment} was left stuck here; what it could not put back is in its evidence: ` +
      `soakgate evidence ${deployment}`,
  }));
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1_048_576)} MiB`;
