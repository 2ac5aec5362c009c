// What the role of the database may do, asked of the catalog before anything is done: whatever a dump, its proof,
// the migrations or a restore would fail for later, with the statement that helps.
import type { Verdict } from '../../src/core/verdict.ts';
import type { Session } from '../../src/io/postgres.ts';
import { areOneServer } from '../database/same-server.ts';
import { MAY_GIVE_TO, toActAs } from './role-membership.ts';

export interface Look {
  readonly verdict: Verdict;
  readonly line: string;
  /** No condition of its own: nothing is refused for it, and people must know. */
  readonly note?: true;
}

const LISTED = 5;
const NOT_OURS = "n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'soakgate')";
const OF_EXTENSION = (catalog: string, oid: string) =>
  `exists (select from pg_depend d where d.classid = '${catalog}'::regclass and d.objid = ${oid} and d.deptype = 'e')`;
/** Place of default privileges: whoever restores them needs the rights of the role, and makes it no owner. */
const GIVEN_TO_NOBODY = 5;
/** Made again with what it belongs to: with its extension, or as the constructor of a range with its type. */
const MADE_ALONG =
  "exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid " +
  "and d.deptype in ('e', 'i'))";

/** One look for each right; only what is missing has more to say than that it is there. */
export async function rightsOf(
  session: Session,
  { restorer, owners }: { readonly restorer: Session; readonly owners: boolean },
): Promise<readonly Look[]> {
  const [role, copier] = [await roleOf(session), await roleOf(restorer)];
  if (!role || !copier) return [{ verdict: 'error', line: 'the role of this session is not in pg_roles' }];
  const another = restorer !== session;
  return [
    maintenance(role),
    ...(another
      ? [maintenance(copier), await sameServer(session, restorer, copier), await givesOwner(restorer, copier)]
      : []),
    scratch(copier),
    ownSchema(role),
    ...(owners ? [await ownership(restorer, copier)] : []),
    ...(copier.super ? [] : await superuserOnly(restorer, copier, owners)),
    ...(await hiddenFromRole(session, role)),
    await invalidIndexes(session),
  ];
}

/** A second login that is another server's would prove another database. */
async function sameServer(session: Session, restorer: Session, { name }: Role): Promise<Look> {
  return (await areOneServer(session, restorer))
    ? holds(`role ${name} restores on the same server`)
    : missing(`the address in restore-as (role ${name}) is of another server; name the server of the target`);
}

/** A copy belongs to whom the target belongs to. */
async function givesOwner(restorer: Session, { name }: Role): Promise<Look> {
  const [row] = await restorer.query<{ owner: string; may: boolean }>(
    `select quote_ident(pg_get_userbyid(datdba)) as owner, pg_has_role(current_user, datdba, 'usage')
        and pg_has_role(current_user, datdba, ${MAY_GIVE_TO}) as may
      from pg_database where datname = current_database()`,
  );
  if (row?.may) return holds(`role ${name} may give a copy to ${row.owner}, the owner of the database`);
  const { why, statements } = await toActAs(restorer, row ? [row.owner] : []);
  return missing(
    `role ${name} may not give a copy to ${row?.owner}, the owner of the database${why}: ${statements}`,
  );
}

async function roleOf(session: Session): Promise<Role | undefined> {
  const [role] = await session.query<Role>(
    `select quote_ident(rolname) as name, rolsuper as super, rolcreatedb or rolsuper as createdb,
      rolbypassrls or rolsuper as bypasses,
      has_database_privilege(current_database(), 'create') as creates, quote_ident(current_database()) as database,
      (select has_database_privilege(oid, 'connect') from pg_database where datname = 'postgres') as connects
      from pg_roles where rolname = current_user`,
  );
  return role;
}

interface Role {
  /** As SQL writes it. */
  readonly name: string;
  readonly super: boolean;
  readonly createdb: boolean;
  readonly bypasses: boolean;
  readonly creates: boolean;
  readonly database: string;
  /** Null where there is no database postgres. */
  readonly connects: boolean | null;
}

/** A condition that holds. */
export const holds = (line: string): Look => ({ verdict: 'pass', line });
/** A condition that does not, with what helps. */
export const missing = (line: string): Look => ({ verdict: 'fail', line });
/** The first few of the names. */
export const some = (names: readonly string[]): string =>
  `${names.slice(0, LISTED).join(', ')}${names.length > LISTED ? ` and ${names.length - LISTED} more` : ''}`;

function maintenance({ name, connects }: Role): Look {
  if (connects === null)
    return missing(
      'there is no database postgres, from which scratch databases are made: create database postgres',
    );
  return connects
    ? holds(`role ${name} may connect to the database postgres, from which scratch databases are made`)
    : missing(
        `role ${name} may not connect to the database postgres, from which scratch databases are made: ` +
          `grant connect on database postgres to ${name}`,
      );
}

const scratch = ({ name, createdb }: Role): Look =>
  createdb
    ? holds(`role ${name} may create a scratch database`)
    : missing(`role ${name} may not create the scratch database: alter role ${name} createdb`);

const ownSchema = ({ name, creates, database }: Role): Look =>
  creates
    ? holds(`role ${name} may create the schema soakgate, which holds the fence`)
    : missing(
        `role ${name} may not create the schema soakgate, which holds the fence: ` +
          `grant create on database ${database} to ${name}`,
      );

/** Whoever restores a dump gives each object its owner, and must be a member of that role. */
async function ownership(session: Session, { name }: Role): Promise<Look> {
  const rows = await session.query<{ what: string; owner: string }>(
    `select what, quote_ident(pg_get_userbyid(owner)) as owner from (
       select n.nspname || '.' || c.relname as what, c.relowner as owner, 1 as place
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where ${NOT_OURS} and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and not ${OF_EXTENSION('pg_class', 'c.oid')}
       union all select 'function ' || p.oid::regprocedure, p.proowner, 2
         from pg_proc p join pg_namespace n on n.oid = p.pronamespace
         where ${NOT_OURS} and not ${MADE_ALONG}
       union all select 'type ' || format_type(t.oid, null), t.typowner, 3
         from pg_type t join pg_namespace n on n.oid = t.typnamespace left join pg_class c on c.oid = t.typrelid
         where ${NOT_OURS} and t.typtype in ('d', 'e', 'r', 'c') and (c.oid is null or c.relkind = 'c')
           and not ${OF_EXTENSION('pg_type', 't.oid')}
       union all select 'schema ' || n.nspname, n.nspowner, 4 from pg_namespace n
         where ${NOT_OURS} and not ${OF_EXTENSION('pg_namespace', 'n.oid')}
           and not (n.nspname = 'public' and n.nspowner = 'pg_database_owner'::regrole)
       union all select 'default privileges of ' || pg_get_userbyid(defaclrole), defaclrole,
         ${GIVEN_TO_NOBODY} from pg_default_acl
       union all select 'statistics ' || n.nspname || '.' || s.stxname, s.stxowner, 6
         from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace where ${NOT_OURS}
       union all select 'foreign server ' || srvname, srvowner, 7 from pg_foreign_server
       union all select 'publication ' || pubname, pubowner, 8 from pg_publication) x
     where not (pg_has_role(current_user, owner, 'usage')
       and (place = ${GIVEN_TO_NOBODY} or pg_has_role(current_user, owner, ${MAY_GIVE_TO})))
     order by place, what`,
  );
  if (rows.length === 0) return holds(`role ${name} owns what it may change`);
  const { why, statements } = await toActAs(session, [...new Set(rows.map(({ owner }) => owner))]);
  return missing(
    `role ${name} does not own ${some(rows.map(({ what }) => what))}${why}: ${statements}, or name ` +
      'a login that may restore them (restore-as), or prove without owners (owners: false)',
  );
}

/** Objects that only a superuser can make again, so that no dump of them can be proven by another role. */
async function superuserOnly(session: Session, { name }: Role, owners: boolean): Promise<readonly Look[]> {
  const rows = await session.query<{ what: string }>(
    `select what from (
       select 'extension ' || e.extname as what, 1 as place from pg_extension e
         join pg_available_extension_versions v on v.name = e.extname and v.version = e.extversion
         where v.superuser and not v.trusted
       union all select 'event trigger ' || evtname, 2 from pg_event_trigger
       union all select 'publication ' || pubname || ' for all tables', 3 from pg_publication where puballtables
       union all select 'subscription ' || subname || ', which pg_dump leaves out for this role', 4
         from pg_subscription where subdbid = (select oid from pg_database where datname = current_database())
       union all select 'function ' || p.oid::regprocedure || case
           when not l.lanpltrusted then ' in ' || l.lanname when p.proleakproof then ', which is leakproof' else ', which has a support function' end, 5
         from pg_proc p join pg_language l on l.oid = p.prolang join pg_namespace n on n.oid = p.pronamespace
         where ${NOT_OURS} and p.prokind <> 'a' and not ${MADE_ALONG}
           and (not l.lanpltrusted or p.proleakproof or p.prosupport <> 0)
       union all select 'aggregate ' || p.oid::regprocedure || ', whose state is of the type internal', 5
         from pg_aggregate a join pg_proc p on p.oid = a.aggfnoid
           join pg_namespace n on n.oid = p.pronamespace
         where ${NOT_OURS} and 'internal'::regtype in (a.aggtranstype, a.aggmtranstype) and not ${MADE_ALONG}
       union all select 'grants on ' || c.oid::regclass || ' made by ' || string_agg(distinct pg_get_userbyid(a.grantor), ', '), 6
         from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) a
         where ${owners} and ${NOT_OURS} and a.grantor <> c.relowner and not ${OF_EXTENSION('pg_class', 'c.oid')} group by c.oid) x
     order by place, what`,
  );
  if (rows.length === 0) return [holds(`nothing in the database needs a superuser to be restored`)];
  return [
    missing(
      `role ${name} cannot restore ${some(rows.map(({ what }) => what))}: only a superuser can, so no backup ` +
        'can be proven by this role: name a login that can, backup: { restore-as: { env: … } }',
    ),
  ];
}

/** Rows and large objects that this role does not see, or that pg_dump refuses to read in part. */
async function hiddenFromRole(session: Session, { name, bypasses }: Role): Promise<readonly Look[]> {
  const looks: Look[] = [];
  const guarded = bypasses
    ? []
    : await session.query<{ what: string }>(
        `select c.oid::regclass::text as what from pg_class c join pg_namespace n on n.oid = c.relnamespace
          where ${NOT_OURS} and c.relrowsecurity
            and (c.relforcerowsecurity or not pg_has_role(current_user, c.relowner, 'usage')) order by 1`,
      );
  if (guarded.length > 0)
    looks.push(
      missing(
        `row security hides rows of ${some(guarded.map(({ what }) => what))} from role ${name}, and pg_dump ` +
          `refuses to read them: alter role ${name} bypassrls`,
      ),
    );
  const objects = await session.query<{ what: string; owner: string }>(
    `select m.oid::text as what, quote_ident(pg_get_userbyid(m.lomowner)) as owner from pg_largeobject_metadata m
      where not pg_has_role(current_user, m.lomowner, 'usage')
        and not (select rolsuper from pg_roles where rolname = current_user)
        and not exists (select from aclexplode(m.lomacl) a where a.privilege_type = 'SELECT'
          and (a.grantee = 0 or pg_has_role(current_user, a.grantee, 'usage'))) order by m.oid`,
  );
  if (objects.length > 0) {
    const { why, statements } = await toActAs(session, [...new Set(objects.map(({ owner }) => owner))]);
    looks.push(
      missing(
        `role ${name} may not read the large objects ${some(objects.map(({ what }) => what))}${why}: ` +
          statements,
      ),
    );
  }
  return looks.length > 0 ? looks : [holds(`role ${name} sees every row and large object`)];
}

/** Left by a CREATE INDEX CONCURRENTLY that failed; pg_dump leaves it out, so that no copy is equal. */
async function invalidIndexes(session: Session): Promise<Look> {
  const rows = await session.query<{ name: string }>(
    `select i.indexrelid::regclass::text as name from pg_index i join pg_class c on c.oid = i.indexrelid
      join pg_namespace n on n.oid = c.relnamespace
      where ${NOT_OURS} and c.relkind = 'i' and not i.indisvalid order by 1`,
  );
  if (rows.length === 0) return holds('every index is valid');
  return missing(
    `invalid indexes, left by a CREATE INDEX CONCURRENTLY that failed: ${some(rows.map(({ name }) => name))}; ` +
      rows
        .slice(0, LISTED)
        .map(({ name }) => `drop index ${name}`)
        .join('; '),
  );
}
